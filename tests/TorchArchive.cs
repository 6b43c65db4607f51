using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace LutNative.Tests;

/// <summary>
/// Files as torch.save writes them (a zip of a pickle of protocol 2 and raw storages), made of dictionaries, tensors
/// and whatever opcodes a test needs.
/// </summary>
public static class TorchArchive
{
    /// <param name="Storage">
    /// FloatStorage, HalfStorage, ...; a name such as "float8_e4m3fn" makes a tensor of the newer kind.
    /// </param>
    /// <param name="Strides">In elements; null for row-major order.</param>
    public sealed record Tensor(string Storage, long[] Shape, byte[] Bytes, long[]? Strides = null);

    /// <summary>Opcodes that leave one object on the stack.</summary>
    public sealed record Raw(byte[] Opcodes)
    {
        public static Raw Of(string latin1) => new(Encoding.Latin1.GetBytes(latin1));
    }

    public static byte[] Of(object root, CompressionLevel level = CompressionLevel.NoCompression)
    {
        var storages = new List<byte[]>();
        var pickle = new List<byte> { 0x80, 2 };
        Put(pickle, storages, root);
        pickle.Add((byte)'.');
        using var to = new MemoryStream();
        using (var zip = new ZipArchive(to, ZipArchiveMode.Create, leaveOpen: true))
        {
            Entry(zip, "archive/data.pkl", [.. pickle], level);
            for (int i = 0; i < storages.Count; i++)
                Entry(zip, FormattableString.Invariant($"archive/data/{i}"), storages[i], level);
        }
        return to.ToArray();
    }

    private static void Entry(ZipArchive zip, string name, byte[] bytes, CompressionLevel level)
    {
        using var entry = zip.CreateEntry(name, level).Open();
        entry.Write(bytes);
    }

    private static void Put(List<byte> p, List<byte[]> storages, object o)
    {
        switch (o)
        {
            case Raw raw:
                p.AddRange(raw.Opcodes);
                break;
            case string text:
                Text(p, text);
                break;
            case long n:
                Number(p, n);
                break;
            case Tensor t:
                Put(p, storages, t);
                break;
            case IEnumerable<KeyValuePair<string, object>> d:
                p.AddRange("ccollections\nOrderedDict\n)R("u8.ToArray());
                foreach (var (key, value) in d)
                {
                    Text(p, key);
                    Put(p, storages, value);
                }
                p.Add((byte)'u');
                break;
            default:
                throw new ArgumentException(o.GetType().Name, nameof(o));
        }
    }

    private static void Put(List<byte> p, List<byte[]> storages, Tensor t)
    {
        bool newer = !t.Storage.EndsWith("Storage", StringComparison.Ordinal);
        p.AddRange(Encoding.ASCII.GetBytes($"ctorch._utils\n_rebuild_tensor_v{(newer ? 3 : 2)}\n(("));
        Text(p, "storage");
        p.AddRange(Encoding.ASCII.GetBytes(newer ? "ctorch.storage\nUntypedStorage\n" : $"ctorch\n{t.Storage}\n"));
        Text(p, storages.Count.ToString(CultureInfo.InvariantCulture));
        storages.Add(t.Bytes);
        Text(p, "cpu");
        Number(p, t.Bytes.Length);
        p.AddRange("tQ"u8.ToArray());
        Number(p, 0);
        Numbers(p, t.Shape);
        Numbers(p, t.Strides ?? RowMajor(t.Shape));
        p.AddRange([0x89, .. "ccollections\nOrderedDict\n)R"u8]);
        if (newer)
            p.AddRange([.. Encoding.ASCII.GetBytes($"ctorch\n{t.Storage}\n"), (byte)'N']);
        p.AddRange("tR"u8.ToArray());
    }

    private static long[] RowMajor(long[] shape)
    {
        var strides = new long[shape.Length];
        long step = 1;
        for (int i = shape.Length - 1; i >= 0; i--)
            (strides[i], step) = (step, step * shape[i]);
        return strides;
    }

    private static void Text(List<byte> p, string s) =>
        p.AddRange([(byte)'X', .. BitConverter.GetBytes(Encoding.UTF8.GetByteCount(s)), .. Encoding.UTF8.GetBytes(s)]);

    private static void Number(List<byte> p, long n) => p.AddRange([0x8a, 8, .. BitConverter.GetBytes(n)]);

    private static void Numbers(List<byte> p, long[] list)
    {
        p.Add((byte)'(');
        foreach (long n in list)
            Number(p, n);
        p.Add((byte)'t');
    }
}
