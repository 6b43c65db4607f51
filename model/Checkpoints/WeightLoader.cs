using LutNative.Model.Tensors;

namespace LutNative.Model.Checkpoints;

/// <summary>What became of a file's tensors.</summary>
/// <param name="Missing">Names that the network has and the file has not.</param>
/// <param name="Unused">
/// Names that the file has and the network has not, or has in another shape where that does not matter.
/// </param>
/// <param name="Interpolated">Position embeddings that were made for another resolution.</param>
public sealed record LoadReport(
    int Loaded,
    IReadOnlyList<string> Missing,
    IReadOnlyList<string> Unused,
    IReadOnlyList<string> Interpolated
);

/// <summary>Copies somebody's weights into a network's state, or says why they are not this network's.</summary>
public static class WeightLoader
{
    /// <summary>
    /// Copies what has the network's names. Shapes must be the network's; position embeddings of another square grid
    /// are interpolated, and a patch embedding may be flat ([D, C p p], as PyTorch's linear layer has it). Refused are
    /// values that are not finite, and tensors of an encoder for which the network has no place: what they were trained
    /// to compute is another function.
    /// </summary>
    /// <param name="matters">Tensors that must have the network's shape if they are there; others are left alone when
    /// they have not.</param>
    /// <exception cref="CheckpointException">With the first such tensor.</exception>
    public static LoadReport Load(WeightSet set, State state, Func<string, bool> matters)
    {
        List<string> missing = [];
        List<string> interpolated = [];
        List<string> unused =
        [
            .. set
                .Tensors.Keys.Where(k => state.Layout.Find(k) is null && !state.Layout.Counters.Contains(k))
                .Order(StringComparer.Ordinal),
        ];
        string[] surplus = [.. unused.Where(EncoderNames.Is)];
        if (!state.Layout.Entries.Any(e => set.Tensors.ContainsKey(e.Name)))
            throw new CheckpointException(
                $"{set.Path} shares no tensor with this network; it has {Names([.. set.Tensors.Keys])}, the "
                    + $"network {Names([.. state.Layout.Entries.Select(e => e.Name)])}"
            );
        if (surplus.Length > 0)
            throw new CheckpointException(
                $"{set.Path} has {surplus.Length} tensors of an encoder that this network has no place for: "
                    + $"{Names(surplus)}; without them it would compute something else, so it belongs to another "
                    + "model"
            );
        int loaded = 0;
        float[] buffer = new float[CheckpointFile.Staging];
        foreach (var e in state.Layout.Entries)
        {
            if (!set.Tensors.TryGetValue(e.Name, out var t))
                missing.Add(e.Name);
            else if (ElementType.WidthOf(t.Type) is null && matters(e.Name))
                throw new CheckpointException(
                    $"{set.Path}: tensor {e.Name} is {t.Type}, which is not read: save it as plain "
                        + "floating-point numbers"
                );
            else if (SameShape(t, e))
            {
                Copy(set, state, e, t, buffer);
                loaded++;
            }
            else if (!matters(e.Name))
                unused.Add(e.Name);
            else if (e.Name is "pos_embed" or "decoder_pos_embed")
            {
                Interpolate(set, state, e, t);
                interpolated.Add(e.Name);
                loaded++;
            }
            else
                throw new CheckpointException(
                    $"{set.Path}: tensor {e.Name} has shape {t.ShapeText}, the network needs {Text(e)}{Hint(t, e)}; "
                        + "it belongs to another model"
                );
        }
        for (int i = 0; i < state.Counters.Length; i++)
            if (set.Tensors.TryGetValue(state.Layout.Counters[i], out var c) && c.Type == "I64" && c.Count == 1)
                state.Counters[i] = c.Counter();
        return new LoadReport(loaded, missing, unused, interpolated);
    }

    /// <summary>The first few names of a list, for people.</summary>
    public static string Names(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(8)) + (names.Count > 8 ? ", ..." : "");

    private static void Copy(WeightSet set, State state, Entry e, FileTensor t, float[] buffer)
    {
        for (long done = 0; done < e.Count; done += buffer.Length)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, e.Count - done));
            t.Read(done, piece);
            CheckFinite(set, e.Name, piece, done);
            state.Write(e, done, piece);
        }
    }

    private static void CheckFinite(WeightSet set, string name, ReadOnlySpan<float> values, long first)
    {
        int i = values.IndexOfAnyExceptInRange(float.MinValue, float.MaxValue);
        if (i >= 0)
            throw new CheckpointException(
                FormattableString.Invariant(
                    $"{set.Path}: element {first + i} of tensor {name} is {values[i]}; weights must be finite numbers"
                )
            );
    }

    private static void Interpolate(WeightSet set, State state, Entry e, FileTensor t)
    {
        CheckpointException Bad(string why) =>
            new($"{set.Path}: {e.Name} is {t.ShapeText}: {why}; the network needs {Text(e)}");
        if (t.Shape.Count != 3 || t.Shape[0] != 1 || t.Shape[2] != e.Cols)
            throw Bad("another shape");
        long rows = t.Shape[1];
        if (!IsSquare(rows - 1))
            throw Bad(IsSquare(rows) ? "no class token" : "its patches are no square");
        if (rows > 1 << 16)
            throw Bad("too many patches");
        float[] values = t.Floats();
        CheckFinite(set, e.Name, values, 0);
        float[] made = Positions.Interpolate(values, e.Cols, (int)rows, e.Rows);
        state.Write(e, made);
    }

    private static bool IsSquare(long n) => n > 0 && (long)Math.Round(Math.Sqrt(n)) is var side && side * side == n;

    private static bool SameShape(FileTensor t, Entry e) =>
        t.Shape.SequenceEqual(e.Shape.Select(n => (long)n))
        || (e.Name == EncoderNames.Anchor && t.Shape.Count == 2 && t.Shape[0] == e.Shape[0] && t.Count == e.Count);

    private static string Hint(FileTensor t, Entry e) =>
        t.Count == e.Count && t.Shape.Count == 4 && t.Shape[3] == e.Shape[1]
            ? " (the file's channels are last: transpose it to channels first)"
            : "";

    private static string Text(Entry e) => $"[{string.Join(", ", e.Shape)}]";
}
