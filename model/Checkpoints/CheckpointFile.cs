using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Checkpoints;

/// <summary>
/// A training state on disk: safetensors with the authors' names for the student (timm and PyTorch load it), "ema." for the teacher, "exp_avg." and
/// "exp_avg_sq." for the moments; step, stage and beta products in the metadata, and the digest of every tensor, so that damage is named.
/// </summary>
public static unsafe class CheckpointFile
{
    private static string Prefix(string state) => state switch { "student" => "", "teacher" => "ema.", _ => state + "." };

    /// <summary>Writes states to a stream that can be read again, which is neither stored nor closed; returns the SHA-256 of what was written.</summary>
    public static string Write(Stream to, IEnumerable<(string Name, State State)> states, IReadOnlyDictionary<string, string> metadata)
    {
        var tensors = new List<SafeTensor>();
        var digests = new Dictionary<string, string>();
        foreach (var (name, state) in states)
        {
            bool moments = name is "exp_avg" or "exp_avg_sq";
            foreach (var e in state.Layout.Entries.Where(e => e.Kind == EntryKind.Parameter || !moments))
            {
                var bytes = new byte[e.Count * sizeof(float)];
                var values = MemoryMarshal.Cast<byte, float>(bytes.AsSpan());
                state.Read(e, values);
                tensors.Add(new SafeTensor(Prefix(name) + e.Name, "F32", [.. e.Shape.Select(n => (long)n)], bytes));
                digests[Prefix(name) + e.Name] = Digest.Of(values).ToString();
            }
            for (int i = 0; i < state.Counters.Length && !moments; i++)
                tensors.Add(new SafeTensor(Prefix(name) + state.Layout.Counters[i], "I64", [1], BitConverter.GetBytes(state.Counters[i])));
        }
        var all = new Dictionary<string, string>(metadata) { ["format"] = "pt", ["digests"] = JsonSerializer.Serialize(digests) };
        Safetensors.Write(to, tensors, all);
        to.Flush();
        to.Position = 0;
        return Convert.ToHexStringLower(SHA256.HashData(to));
    }

    /// <summary>Reads a checkpoint and proves it whole: SHA-256 beside it (when there), safetensors invariants, every tensor's digest.</summary>
    public static (Dictionary<string, SafeTensor> Tensors, Dictionary<string, string> Metadata) ReadChecked(string path)
    {
        var (tensors, metadata) = Safetensors.Read(path);
        if (DamagedTensor(tensors, metadata) is { } tensor)
            throw new CheckpointException($"{path} is damaged: tensor {tensor} does not have the digest that was recorded when it was written; use another checkpoint");
        if (Beside(path) is { } recorded && recorded != Sha256(path)) throw new CheckpointException($"{path} is damaged: its SHA-256 is not the one in {Path.GetFileName(path)}.sha256; use another checkpoint");
        return (tensors, metadata);
    }

    /// <summary>Of the whole file, in lower-case hexadecimal digits.</summary>
    public static string Sha256(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UnreadableCheckpointException(path, e);
        }
    }

    private static string? Beside(string path)
    {
        try
        {
            return File.Exists(path + ".sha256") ? File.ReadAllText(path + ".sha256").Split(' ')[0] : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UnreadableCheckpointException(path + ".sha256", e);
        }
    }

    /// <summary>The first tensor whose bits are not those that were written, or null.</summary>
    public static string? DamagedTensor(Dictionary<string, SafeTensor> tensors, Dictionary<string, string> metadata)
    {
        if (!metadata.TryGetValue("digests", out string? json)) return null;
        Dictionary<string, string> recorded;
        try
        {
            recorded = JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? [];
        }
        catch (JsonException)
        {
            return "(the digest list itself)";
        }
        foreach (var (name, digest) in recorded.OrderBy(r => r.Key, StringComparer.Ordinal))
            if (!tensors.TryGetValue(name, out var t) || t.DType != "F32" || Digest.Of(t.Floats).ToString() != digest) return name;
        return null;
    }

    /// <summary>Copies a checkpoint's tensors into states; every tensor must be there with its shape.</summary>
    public static void Load(Dictionary<string, SafeTensor> tensors, IEnumerable<(string Name, State State)> states, string path)
    {
        var missing = new List<string>();
        foreach (var (name, state) in states)
        {
            bool moments = name is "exp_avg" or "exp_avg_sq";
            foreach (var e in state.Layout.Entries.Where(e => e.Kind == EntryKind.Parameter || !moments))
            {
                if (!tensors.TryGetValue(Prefix(name) + e.Name, out var t)) missing.Add(Prefix(name) + e.Name);
                else if (!t.Shape.SequenceEqual(e.Shape.Select(n => (long)n)))
                    throw new CheckpointException($"{path}: tensor {Prefix(name)}{e.Name} has shape [{string.Join(", ", t.Shape)}], the network needs [{string.Join(", ", e.Shape)}]; the checkpoint belongs to another model");
                else state.Write(e, t.Floats);
            }
            for (int i = 0; i < state.Counters.Length && !moments; i++)
                if (!tensors.TryGetValue(Prefix(name) + state.Layout.Counters[i], out var t)) missing.Add(Prefix(name) + state.Layout.Counters[i]);
                else state.Counters[i] = t.Longs[0];
        }
        if (missing.Count > 0)
            throw new CheckpointException($"{path} lacks {missing.Count} tensors that the network needs, first {missing[0]}; the checkpoint belongs to another model or stage");
    }

    public static string Bits(double x) => BitConverter.DoubleToInt64Bits(x).ToString("x16", CultureInfo.InvariantCulture);

    public static double FromBits(string hex) => BitConverter.Int64BitsToDouble(long.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
}
