using LutNative.Model.Checkpoints;
using LutNative.Results;

namespace LutNative.Harness.Diagnosis;

/// <summary>
/// Two tensors of two files, of the same type and shape, bit by bit and in pieces: either may be larger than memory.
/// </summary>
internal static class TensorDifference
{
    /// <summary>The first difference in words, or null when all bits are equal.</summary>
    internal static string? First(FileTensor a, FileTensor b)
    {
        if (a.Type != "F32")
            return SameBytes(a, b) ? null : $"{a.Name}: {a.Type} values differ";
        float[] left = new float[CheckpointFile.Staging];
        float[] right = new float[CheckpointFile.Staging];
        ElementPair? first = null;
        long differ = 0;
        for (long done = 0; done < a.Count; done += left.Length)
        {
            int n = (int)Math.Min(left.Length, a.Count - done);
            a.Read(done, left.AsSpan(0, n));
            b.Read(done, right.AsSpan(0, n));
            if (ElementPair.First(a.Name, left.AsSpan(0, n), right.AsSpan(0, n)) is not { } found)
                continue;
            differ += found.Differ;
            first ??= found with { Element = done + found.Element };
        }
        return first is null ? null : (first with { Differ = differ, Of = a.Count }).ToString();
    }

    private static bool SameBytes(FileTensor a, FileTensor b)
    {
        if (a.Bytes != b.Bytes)
            return false;
        byte[] left = new byte[CheckpointFile.Staging];
        byte[] right = new byte[CheckpointFile.Staging];
        for (long done = 0; done < a.Bytes; done += left.Length)
        {
            int n = (int)Math.Min(left.Length, a.Bytes - done);
            a.ReadBytes(done, left.AsSpan(0, n));
            b.ReadBytes(done, right.AsSpan(0, n));
            if (!left.AsSpan(0, n).SequenceEqual(right.AsSpan(0, n)))
                return false;
        }
        return true;
    }
}
