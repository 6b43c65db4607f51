using System.IO.Compression;
using LutNative.Harness.Errors;
using LutNative.Harness.Images;
using LutNative.Model.Checkpoints;

namespace LutNative.Harness.Tests;

/// <summary>
/// Ten thousand damaged files: bits flipped, bytes set, pieces cut, doubled and moved, in every format that is read.
/// Each is read or refused with its own error; nothing else is thrown, nothing hangs, nothing takes memory for what a
/// file only claims.
/// </summary>
public sealed class FuzzTests : IDisposable
{
    private readonly Cli.TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string, int> Formats() =>
        new()
        {
            { "pth", 2000 },
            { "pth stored", 1000 },
            { "safetensors", 2000 },
            { "tar", 1500 },
            { "parquet", 1000 },
            { "idx", 1500 },
            { "jpeg", 700 },
            { "png", 300 },
        };

    [Theory]
    [MemberData(nameof(Formats))]
    public void ADamagedFileIsReadOrRefused(string format, int count)
    {
        string path = folder["file"];
        string train = folder["train"];
        Directory.CreateDirectory(train);
        byte[] whole = Whole(format);
        var random = new Random(format.Sum(c => c));
        int refused = 0;
        for (int i = 0; i < count; i++)
        {
            byte[] damaged = Damage(whole, random);
            try
            {
                switch (format)
                {
                    case "pth" or "pth stored":
                        File.WriteAllBytes(path, damaged);
                        using (var set = WeightSet.Open(path))
                            foreach (
                                var t in set.Tensors.Values.Where(t => ElementType.IsFloat(t.Type) && t.Count < 10_000)
                            )
                                t.Floats();
                        break;
                    case "safetensors":
                        File.WriteAllBytes(path, damaged);
                        foreach (var t in Safetensors.Read(path).Tensors.Values)
                            _ = t.Count;
                        using (var set = WeightSet.Open(path))
                            Assert.NotEmpty(set.Tensors);
                        break;
                    case "tar":
                        File.WriteAllBytes(Path.Combine(train, "x.tar"), damaged);
                        using (var tar = (TarShards)DataSets.Container(folder.Path, "train"))
                            foreach (var place in tar.Places)
                                tar.Read(place);
                        break;
                    case "parquet":
                        File.WriteAllBytes(Path.Combine(train, "x.parquet"), damaged);
                        var shards = DataSets.Container(folder.Path, "train");
                        foreach (var place in shards.Places)
                            shards.Read(place);
                        break;
                    case "idx":
                        File.WriteAllBytes(folder["i"], damaged);
                        File.WriteAllBytes(folder["l"], [0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3]);
                        Idx.Read(folder["i"], folder["l"]);
                        break;
                    default:
                        Decoder.Decode(damaged, "x");
                        break;
                }
            }
            catch (Exception e) when (e is CheckpointException or LutError or ImageException or IOException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, count / 20, count);
    }

    private byte[] Whole(string format)
    {
        string fixtures = Path.Combine(Repository.Root, "tests", "fixtures");
        string images = Path.Combine(fixtures, "golden", "images", "jpeg");
        switch (format)
        {
            case "pth":
                return File.ReadAllBytes(Path.Combine(fixtures, "torch", "strided.pt"));
            case "pth stored":
                // the pickle of a real checkpoint alone, so that most damage falls on it
                using (var from = ZipFile.OpenRead(Path.Combine(fixtures, "torch", "finetuned.pth")))
                using (var to = new MemoryStream())
                {
                    using (var zip = new ZipArchive(to, ZipArchiveMode.Create, leaveOpen: true))
                        foreach (var entry in from.Entries.Where(e => e.Name == "data.pkl" || e.Length < 200))
                        {
                            using Stream a = entry.Open();
                            using Stream b = zip.CreateEntry(entry.FullName, CompressionLevel.NoCompression).Open();
                            a.CopyTo(b);
                        }
                    return to.ToArray();
                }
            case "safetensors":
                using (var to = new MemoryStream())
                {
                    Safetensors.Write(
                        to,
                        [new("a", "F32", [2, 3], new byte[24]), new("b.c", "I64", [1], new byte[8])],
                        new Dictionary<string, string> { ["k"] = "v" }
                    );
                    return to.ToArray();
                }
            case "tar" or "parquet":
                SyntheticImageNet.Folder(folder["set"], 2, 2, 1);
                if (format == "tar")
                    SyntheticImageNet.Tar(folder["set"], folder["shards"], 10);
                else
                    SyntheticImageNet.Parquet(folder["set"], folder["shards"], 10).GetAwaiter().GetResult();
                return File.ReadAllBytes(
                    Directory
                        .GetFiles(
                            folder["shards"],
                            format == "tar" ? "shard-0000.tar" : "train*.parquet",
                            SearchOption.AllDirectories
                        )
                        .Order(StringComparer.Ordinal)
                        .First()
                );
            case "idx":
                return [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2, .. new byte[12]];
            case "jpeg":
                return File.ReadAllBytes(Path.Combine(images, "0_420_prog.jpg"));
            default:
                return File.ReadAllBytes(Path.Combine(images, "0_pal.png"));
        }
    }

    private static byte[] Damage(byte[] whole, Random random)
    {
        var x = whole.ToList();
        for (int n = 1 + random.Next(3); n > 0 && x.Count > 4; n--)
        {
            // half of all damage falls on the first bytes, where headers are
            int at = random.Next(random.Next(2) == 0 ? Math.Min(x.Count, 200) : x.Count);
            int length = Math.Min(1 + random.Next(16), x.Count - at);
            switch (random.Next(6))
            {
                case 0:
                    x[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    x[at] = (byte)random.Next(256);
                    break;
                case 2:
                    for (int i = at; i < at + length; i++)
                        x[i] = 0xff;
                    break;
                case 3:
                    x.RemoveRange(at, length);
                    break;
                case 4:
                    x.InsertRange(random.Next(x.Count), x.GetRange(at, length));
                    break;
                default:
                    x.RemoveRange(at, x.Count - at);
                    break;
            }
        }
        return [.. x];
    }
}
