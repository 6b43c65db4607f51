using System.Globalization;

namespace LutNative.Model.Checkpoints;

/// <summary>
/// Writes a set of weights as safetensors that timm and PyTorch load, tensor by tensor: floating-point numbers as
/// binary32, integers as they are.
/// </summary>
public static class WeightWriter
{
    /// <summary>
    /// 8-bit numbers take four times as much in binary32, and two layers may share one tensor; more is a small file
    /// that becomes a large one.
    /// </summary>
    private const int MostGrowth = 8;

    /// <summary>What can be written of a set; the rest has types that nothing here reads.</summary>
    public static IReadOnlyList<FileTensor> Writable(WeightSet set) =>
        [.. set.Tensors.Values.Where(t => ElementType.WidthOf(t.Type) is not null)];

    public static void Write(Stream to, WeightSet set, IReadOnlyDictionary<string, string> metadata)
    {
        var tensors = Writable(set);
        // a tensor that repeats its values may claim more elements than 64 bits can count bytes of
        var bytes = tensors.Aggregate(default(Int128), (sum, t) => sum + BytesOf(t));
        if (bytes > (Int128)MostGrowth * set.FileBytes)
            throw new CheckpointException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{set.Path} has {set.FileBytes} bytes and would become {bytes}, more than {MostGrowth} "
                        + $"times as many: its tensors repeat a few values; nothing was written"
                )
            );
        var entries = tensors
            .Select(t => new SafetensorsEntry(
                t.Name,
                ElementType.IsFloat(t.Type) ? "F32" : t.Type,
                t.Shape,
                (long)BytesOf(t)
            ))
            .ToList();
        to.Write(Safetensors.Header(entries, new Dictionary<string, string>(metadata) { ["format"] = "pt" }));
        float[] buffer = new float[CheckpointFile.Staging];
        var raw = System.Runtime.InteropServices.MemoryMarshal.AsBytes(buffer.AsSpan());
        foreach (var t in tensors)
        {
            bool floats = ElementType.IsFloat(t.Type);
            int width = ElementType.WidthOf(t.Type)!.Value;
            int most = floats ? buffer.Length : raw.Length / width;
            for (long done = 0; done < t.Count; done += most)
            {
                int n = (int)Math.Min(most, t.Count - done);
                if (floats)
                    t.Read(done, buffer.AsSpan(0, n));
                else
                    t.ReadRaw(done, raw[..(n * width)], width);
                to.Write(raw[..(n * (floats ? sizeof(float) : width))]);
            }
        }
    }

    private static Int128 BytesOf(FileTensor t) =>
        (Int128)t.Count * (ElementType.IsFloat(t.Type) ? sizeof(float) : ElementType.WidthOf(t.Type)!.Value);
}
