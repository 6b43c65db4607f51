using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using LutNative.Model.Checkpoints;
using LutNative.Model.Tensors;

namespace LutNative.Harness.Training;

/// <summary>
/// The name of weights that a run begins with: SHA-256 of the values as they were loaded. Of each tensor, in the
/// layout's order: its name, a line feed, its extents as "768x3x16x16", a line feed, and its binary32 values,
/// little-endian. Container, types in the file and what was not used do not matter.
/// </summary>
public static class WeightsHash
{
    /// <param name="encoderOnly">Where nothing else is used: fine-tuning, probes, features.</param>
    public static string Of(State state, bool encoderOnly)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var e in state.Layout.Entries.Where(e => !encoderOnly || EncoderNames.Is(e.Name)))
        {
            float[] values = new float[e.Count];
            state.Read(e, values);
            hash.AppendData(Encoding.UTF8.GetBytes($"{e.Name}\n{string.Join('x', e.Shape)}\n"));
            hash.AppendData(MemoryMarshal.AsBytes(values.AsSpan()));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>
    /// The file for people, without the folders of a home: of a checkpoint in a run's folder, the run too.
    /// </summary>
    public static string NameOf(string path)
    {
        string[] parts = Path.GetFullPath(path).Split(Path.DirectorySeparatorChar);
        return string.Join('/', parts.TakeLast(parts.Length >= 3 && parts[^2] == "checkpoints" ? 3 : 1));
    }
}
