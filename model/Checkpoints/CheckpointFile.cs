using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Checkpoints;

/// <summary>
/// A training state on disk: safetensors with the authors' names for the student (timm and PyTorch load it), "ema." for
/// the teacher, "exp_avg." and "exp_avg_sq." for the moments; step, stage and beta products in the metadata, and the
/// digest of every tensor, so that damage is named. Written and read tensor by tensor through one buffer of fixed size:
/// a state of any size takes no second copy in memory.
/// </summary>
public sealed class CheckpointFile : IDisposable
{
    /// <summary>Floats that are on their way at once.</summary>
    public const int Staging = 1 << 20;

    private readonly TensorFile file;

    private CheckpointFile(TensorFile file, string sha256)
    {
        this.file = file;
        Sha256 = sha256;
    }

    public IReadOnlyDictionary<string, string> Metadata => file.Metadata;

    /// <summary>Of the whole file, in lower-case hexadecimal digits.</summary>
    public string Sha256 { get; }

    /// <summary>
    /// Writes states to a stream, which is neither flushed nor closed; returns the SHA-256 of what was written.
    /// </summary>
    /// <param name="staging">Floats of the buffer.</param>
    public static string Write(
        Stream to,
        IEnumerable<(string Name, State State)> states,
        IReadOnlyDictionary<string, string> metadata,
        int staging = Staging
    )
    {
        var entries = new List<SafetensorsEntry>();
        var digests = new Dictionary<string, string>();
        var all = states.ToList();
        foreach (var (name, state) in all)
        {
            foreach (var e in Saved(name, state))
            {
                entries.Add(
                    new SafetensorsEntry(
                        Prefix(name) + e.Name,
                        "F32",
                        [.. e.Shape.Select(n => (long)n)],
                        e.Count * sizeof(float)
                    )
                );
                digests[Prefix(name) + e.Name] = state.DigestOf(e).ToString();
            }
            foreach (string counter in Counters(name, state))
                entries.Add(new SafetensorsEntry(Prefix(name) + counter, "I64", [1], sizeof(long)));
        }
        var described = new Dictionary<string, string>(metadata)
        {
            ["format"] = "pt",
            ["digests"] = JsonSerializer.Serialize(digests),
        };
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Put(ReadOnlySpan<byte> bytes)
        {
            hash.AppendData(bytes);
            to.Write(bytes);
        }
        Put(Safetensors.Header(entries, described));
        float[] buffer = new float[staging];
        foreach (var (name, state) in all)
        {
            foreach (var e in Saved(name, state))
                for (long done = 0; done < e.Count; done += staging)
                {
                    var piece = buffer.AsSpan(0, (int)Math.Min(staging, e.Count - done));
                    state.Read(e, done, piece);
                    Put(MemoryMarshal.AsBytes(piece));
                }
            foreach (string counter in Counters(name, state))
                Put(BitConverter.GetBytes(state.Counters[state.Layout.CounterOf(counter)]));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>
    /// Opens a checkpoint and proves it whole: the rules of safetensors, every tensor's digest, and the SHA-256 beside
    /// it (when there).
    /// </summary>
    /// <exception cref="CheckpointException">It is damaged; <see cref="UnreadableCheckpointException"/> when the system
    /// could not read it.</exception>
    public static CheckpointFile Open(string path, int staging = Staging)
    {
        var file = Safetensors.Open(path);
        try
        {
            var proof = Prove(file, staging);
            if (proof.Damage is { } damage)
                throw new CheckpointException($"{path} is damaged: {damage}; use another checkpoint");
            return new CheckpointFile(file, proof.Sha256);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads a whole file once, in its own order.</summary>
    public static CheckpointProof Prove(TensorFile file, int staging = Staging)
    {
        if (!Recorded(file, out var recorded))
            return new CheckpointProof("", "the digest list itself", "its digest list cannot be read");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        float[] buffer = new float[staging];
        var bytes = MemoryMarshal.AsBytes(buffer.AsSpan());
        long data = file.Tensors.Count == 0 ? file.Length : file.Tensors.Values.Min(t => t.Offset);
        for (long at = 0; at < data; at += bytes.Length)
        {
            var piece = bytes[..(int)Math.Min(bytes.Length, data - at)];
            file.Read(at, piece);
            hash.AppendData(piece);
        }
        var damaged = new SortedSet<string>(
            recorded.Keys.Where(n => !file.Tensors.TryGetValue(n, out var t) || t.Type != "F32"),
            StringComparer.Ordinal
        );
        foreach (var t in file.Tensors.Values.OrderBy(t => t.Offset).ThenBy(t => t.Bytes))
        {
            var digest = default(Digest);
            for (long done = 0; done < t.Bytes; done += bytes.Length)
            {
                var piece = bytes[..(int)Math.Min(bytes.Length, t.Bytes - done)];
                file.Read(t.Offset + done, piece);
                hash.AppendData(piece);
                if (t.Type == "F32")
                    digest += Digest.Of(MemoryMarshal.Cast<byte, float>(piece), done / sizeof(float));
            }
            if (recorded.TryGetValue(t.Name, out string? was) && digest.ToString() != was)
                damaged.Add(t.Name);
        }
        string sha256 = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (damaged.Count > 0)
            return new CheckpointProof(
                sha256,
                damaged.Min,
                $"tensor {damaged.Min} does not have the digest that was recorded when it was written"
            );
        return new CheckpointProof(
            sha256,
            null,
            Beside(file.Path) is { } beside && beside != sha256
                ? $"its SHA-256 is not the one in {Path.GetFileName(file.Path)}.sha256"
                : null
        );
    }

    /// <summary>Copies a checkpoint's tensors into states; every tensor must be there with its shape.</summary>
    public void Load(IEnumerable<(string Name, State State)> states, int staging = Staging)
    {
        var missing = new List<string>();
        float[] buffer = new float[staging];
        foreach (var (name, state) in states)
        {
            foreach (var e in Saved(name, state))
            {
                if (!file.Tensors.TryGetValue(Prefix(name) + e.Name, out var t))
                    missing.Add(Prefix(name) + e.Name);
                else if (!t.Shape.SequenceEqual(e.Shape.Select(n => (long)n)))
                    throw new CheckpointException(
                        $"{file.Path}: tensor {Prefix(name)}{e.Name} has shape {t.ShapeText}, the network "
                            + $"needs [{string.Join(", ", e.Shape)}]; the checkpoint belongs to another model"
                    );
                else
                    t.CopyTo(state, e, buffer);
            }
            foreach (string counter in Counters(name, state))
                if (!file.Tensors.TryGetValue(Prefix(name) + counter, out var t))
                    missing.Add(Prefix(name) + counter);
                else
                    state.Counters[state.Layout.CounterOf(counter)] = t.Counter();
        }
        if (missing.Count > 0)
            throw new CheckpointException(
                $"{file.Path} lacks {missing.Count} tensors that the network needs, first {missing[0]}; the "
                    + "checkpoint belongs to another model or stage"
            );
    }

    public void Dispose() => file.Dispose();

    public static string Bits(double x) =>
        BitConverter.DoubleToInt64Bits(x).ToString("x16", CultureInfo.InvariantCulture);

    public static double FromBits(string hex) =>
        BitConverter.Int64BitsToDouble(long.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    /// <summary>Bytes of the file that <see cref="Write"/> makes, all but its header.</summary>
    public static long DataBytes(IEnumerable<(string Name, State State)> states) =>
        states.Aggregate(
            0L,
            (sum, s) =>
                sum
                + Saved(s.Name, s.State).Aggregate(0L, (a, e) => a + e.Count * sizeof(float))
                + sizeof(long) * Counters(s.Name, s.State).Count
        );

    private static string Prefix(string state) =>
        state switch
        {
            "student" => "",
            "teacher" => "ema.",
            _ => state + ".",
        };

    private static bool Moments(string state) => state is "exp_avg" or "exp_avg_sq";

    private static IEnumerable<Entry> Saved(string name, State state) =>
        state.Layout.Entries.Where(e => e.Kind == EntryKind.Parameter || !Moments(name));

    private static IReadOnlyList<string> Counters(string name, State state) =>
        Moments(name) ? [] : state.Layout.Counters;

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

    private static bool Recorded(TensorFile file, out Dictionary<string, string> digests)
    {
        digests = [];
        if (!file.Metadata.TryGetValue("digests", out string? json))
            return true;
        try
        {
            digests = JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? [];
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
