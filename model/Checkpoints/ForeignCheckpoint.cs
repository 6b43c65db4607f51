using LutNative.Model.Tensors;

namespace LutNative.Model.Checkpoints;

/// <summary>What became of a foreign checkpoint's tensors.</summary>
/// <param name="Missing">Names that the network has and the file has not.</param>
/// <param name="Unexpected">Names that the file has and the network has not.</param>
/// <param name="Interpolated">Position embeddings that were made for another resolution.</param>
public sealed record LoadReport(int Loaded, IReadOnlyList<string> Missing, IReadOnlyList<string> Unexpected, IReadOnlyList<string> Interpolated);

/// <summary>
/// Weights from other people's files: .pth and .pt of torch.save, or safetensors, with the names of MAE, LUT and timm. A file may hold several sets: "model" (the student,
/// what goes downstream), "model_ema"; what wraps names ("module.", "ema.") is taken off.
/// </summary>
public static class ForeignCheckpoint
{
    private static readonly string[] Sets = ["model", "model_ema", "state_dict", "teacher", "student"];

    /// <summary>One set of weights by plain names.</summary>
    /// <param name="which">"" for the usual one: model, or what the file holds at its top.</param>
    public static Dictionary<string, SafeTensor> Read(string path, string which = "")
    {
        if (!File.Exists(path)) throw new CheckpointException($"there is no checkpoint {path}");
        var all = path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) ? Safetensors.Read(path).Tensors : TorchFile.Read(path);
        string[] held = [.. Sets.Where(s => all.Keys.Any(k => k.StartsWith(s + ".", StringComparison.Ordinal)))];
        var plain = all.Where(t => t.Key.StartsWith("ema.", StringComparison.Ordinal) == (which == "model_ema" && !held.Contains("model_ema")));
        if (which.Length == 0) which = held.FirstOrDefault() ?? "";
        else if (!held.Contains(which) && !(which == "model_ema" && plain.Any())) throw new CheckpointException($"{path} has no {which}; it holds {(held.Length == 0 ? "one set of weights" : string.Join(", ", held))}");
        var chosen = held.Contains(which) ? all.Where(t => t.Key.StartsWith(which + ".", StringComparison.Ordinal)).Select(t => (Name: t.Key[(which.Length + 1)..], t.Value)) : plain.Select(t => (Name: t.Key, t.Value));
        var named = new Dictionary<string, SafeTensor>(StringComparer.Ordinal);
        foreach (var (name, tensor) in chosen)
        {
            string bare = name;
            foreach (string prefix in new[] { "module.", "ema.", "module." })
                if (bare.StartsWith(prefix, StringComparison.Ordinal)) bare = bare[prefix.Length..];
            if (bare.StartsWith("exp_avg", StringComparison.Ordinal) || bare.StartsWith("optimizer.", StringComparison.Ordinal)) continue;   // a training state of ours, or of theirs
            named[bare] = tensor with { Name = bare };
        }
        if (named.Count == 0) throw new CheckpointException($"{path} holds no tensors");
        return named;
    }

    /// <summary>
    /// Copies what has the network's names into a state. Position embeddings of another square grid are interpolated; any other difference of shape is an error, and so is a file
    /// that shares no name with the network.
    /// </summary>
    public static LoadReport Load(Dictionary<string, SafeTensor> tensors, State state, string path)
    {
        List<string> missing = [], interpolated = [];
        int loaded = 0;
        foreach (var e in state.Layout.Entries)
        {
            if (!tensors.TryGetValue(e.Name, out var t))
            {
                missing.Add(e.Name);
                continue;
            }
            var values = t.Floats;
            if (e.Name is "pos_embed" or "decoder_pos_embed" && t.Count != e.Count && t.Shape.Length == 3 && t.Shape[2] == e.Cols)
            {
                state.Write(e, Positions.Interpolate(values, e.Cols, (int)t.Shape[1], e.Rows));
                interpolated.Add(e.Name);
            }
            else if (t.Count != e.Count || (t.Shape.Length > 1 && t.Shape[0] != e.Shape[0]))
                throw new CheckpointException($"{path}: tensor {e.Name} has shape [{string.Join(", ", t.Shape)}], the network needs [{string.Join(", ", e.Shape)}]; it belongs to another model");
            else state.Write(e, values);
            loaded++;
        }
        for (int i = 0; i < state.Counters.Length; i++)
            if (tensors.TryGetValue(state.Layout.Counters[i], out var c) && c.DType == "I64" && c.Count == 1) state.Counters[i] = c.Longs[0];
        if (loaded == 0) throw new CheckpointException($"{path} shares no tensor with this network; it has {string.Join(", ", tensors.Keys.Take(3))}, the network {string.Join(", ", state.Layout.Entries.Take(3).Select(e => e.Name))}");
        return new LoadReport(loaded, missing, [.. tensors.Keys.Where(k => state.Layout.Find(k) is null && !state.Layout.Counters.Contains(k)).Order(StringComparer.Ordinal)], interpolated);
    }

    /// <summary>Writes plain weights as safetensors, which timm and PyTorch read.</summary>
    public static void Write(string path, IReadOnlyDictionary<string, SafeTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        string temporary = path + ".tmp";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            Safetensors.Write(file, [.. tensors.Values], new Dictionary<string, string>(metadata) { ["format"] = "pt" });
            file.Flush(true);
        }
        File.Move(temporary, path, overwrite: true);
    }
}

/// <summary>Position embeddings [1 + P, D] for another grid. Source: MAE util/pos_embed.py interpolate_pos_embed: torch bicubic (a = -0.75), align_corners=False, the class token kept.</summary>
public static class Positions
{
    /// <param name="rows">1 + a square number of patches, of the table that is given.</param>
    /// <param name="wanted">The same, of the table that is made.</param>
    public static float[] Interpolate(ReadOnlySpan<float> table, int width, int rows, int wanted)
    {
        int from = (int)Math.Round(Math.Sqrt(rows - 1)), to = (int)Math.Round(Math.Sqrt(wanted - 1));
        if (from * from != rows - 1 || to * to != wanted - 1 || table.Length != rows * width) throw new CheckpointException($"position embeddings of {rows - 1} patches cannot become {wanted - 1}: both must be squares");
        var result = new float[wanted * width];
        table[..width].CopyTo(result);
        double scale = (double)from / to;
        Span<double> wy = stackalloc double[4], wx = stackalloc double[4];
        for (int y = 0; y < to; y++)
        {
            int y0 = Weights(wy, (y + 0.5) * scale - 0.5);
            for (int x = 0; x < to; x++)
            {
                int x0 = Weights(wx, (x + 0.5) * scale - 0.5);
                for (int c = 0; c < width; c++)
                {
                    double sum = 0;
                    for (int j = 0; j < 4; j++)
                    {
                        double line = 0;
                        int row = Math.Clamp(y0 - 1 + j, 0, from - 1);
                        for (int i = 0; i < 4; i++) line += wx[i] * table[(1 + row * from + Math.Clamp(x0 - 1 + i, 0, from - 1)) * width + c];
                        sum += wy[j] * line;
                    }
                    result[(1 + y * to + x) * width + c] = (float)sum;
                }
            }
        }
        return result;
    }

    /// <summary>Keys' cubic convolution for a place between samples; returns the sample below it.</summary>
    private static int Weights(Span<double> w, double place)
    {
        const double A = -0.75;
        int below = (int)Math.Floor(place);
        double t = place - below;
        static double Near(double x) => ((A + 2) * x - (A + 3)) * x * x + 1;
        static double Far(double x) => ((A * x - 5 * A) * x + 8 * A) * x - 4 * A;
        (w[0], w[1], w[2], w[3]) = (Far(t + 1), Near(t), Near(1 - t), Far(2 - t));
        return below;
    }
}
