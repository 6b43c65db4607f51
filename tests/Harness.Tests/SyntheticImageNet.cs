using System.Formats.Tar;
using System.Text;
using LutNative.Model.Numerics;
using Parquet;
using Parquet.Schema;
using SkiaSharp;

namespace LutNative.Harness.Tests;

/// <summary>
/// A small ImageNet of real JPEG files, made and not downloaded: every class a folder named as a synset, images of
/// drawn sizes in several encodings, one PNG under a JPEG's name as the original has, and the same images as WebDataset
/// tar shards and as Hugging Face Parquet shards.
/// </summary>
internal static class SyntheticImageNet
{
    internal static void Folder(string root, int classes, int train, int val)
    {
        foreach (var (split, count) in new[] { ("train", train), ("val", val) })
            for (int c = 0; c < classes; c++)
            {
                string folder = Path.Combine(root, split, Synset(c));
                Directory.CreateDirectory(folder);
                for (int i = 0; i < count; i++)
                    File.WriteAllBytes(
                        Path.Combine(folder, $"{Synset(c)}_{i}.JPEG"),
                        Image(c, split == "train" ? i : 1000 + i)
                    );
            }
    }

    private static string Synset(int c) => $"n{1440764 + 13 * c:d8}";

    /// <summary>
    /// A class is a direction and a frequency of waves in a colour; an image a phase, a size, noise and an encoding.
    /// </summary>
    private static byte[] Image(int label, int index)
    {
        var random = new Philox(7, Purpose.Test, (ulong)label, (uint)index, 0);
        int width = 40 + (int)random.NextBelow(32);
        int height = 40 + (int)random.NextBelow(32);
        double phase = random.NextDouble() * 6.28;
        double angle = label * 0.61;
        double frequency = 0.15 + label % 7 * 0.07;
        double across = frequency * Math.Cos(angle);
        double down = frequency * Math.Sin(angle);
        using var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        Span<byte> pixels = bitmap.GetPixelSpan();
        for (int i = 0; i < width * height; i++)
        {
            double wave = 0.5 + 0.4 * Math.Sin(phase + across * (i % width) + down * (i / width));
            uint noise = random.NextUInt();
            for (int c = 0; c < 3; c++)
                pixels[4 * i + c] = (byte)
                    Math.Min(255, 255 * wave * (0.4 + 0.6 * (label * (c + 3) % 11) / 10.0) + (noise >> (8 * c) & 15));
            pixels[4 * i + 3] = 255;
        }
        bool png = label == 3 && index == 0;
        using var image = SKImage.FromBitmap(label % 17 == 5 ? bitmap.Copy(SKColorType.Gray8) : bitmap);
        using var data = image.Encode(png ? SKEncodedImageFormat.Png : SKEncodedImageFormat.Jpeg, 60 + 5 * (index % 8));
        return data.ToArray();
    }

    /// <summary>The folder's images in its order.</summary>
    private static IEnumerable<(string Key, byte[] Bytes, int Label)> Read(string split)
    {
        string[] classes = [.. Directory.GetDirectories(split).Order(StringComparer.Ordinal)];
        for (int c = 0; c < classes.Length; c++)
            foreach (string f in Directory.GetFiles(classes[c]).Order(StringComparer.Ordinal))
                yield return (Path.GetFileNameWithoutExtension(f), File.ReadAllBytes(f), c);
    }

    internal static void Tar(string folderRoot, string to, int perShard)
    {
        foreach (string split in new[] { "train", "val" })
        {
            Directory.CreateDirectory(Path.Combine(to, split));
            int shard = 0;
            foreach (var part in Read(Path.Combine(folderRoot, split)).Chunk(perShard))
            {
                using var tar = new TarWriter(File.Create(Path.Combine(to, split, $"shard-{shard++:d4}.tar")));
                foreach (var (key, bytes, label) in part)
                {
                    tar.WriteEntry(
                        new UstarTarEntry(TarEntryType.RegularFile, key + ".jpg")
                        {
                            DataStream = new MemoryStream(bytes),
                        }
                    );
                    tar.WriteEntry(
                        new UstarTarEntry(TarEntryType.RegularFile, key + ".cls")
                        {
                            DataStream = new MemoryStream(Encoding.ASCII.GetBytes($"{label}")),
                        }
                    );
                }
            }
        }
    }

    internal static async Task Parquet(string folderRoot, string to, int perShard)
    {
        Directory.CreateDirectory(Path.Combine(to, "data"));
        foreach (var (split, name) in new[] { ("train", "train"), ("val", "validation") })
        {
            var parts = Read(Path.Combine(folderRoot, split)).Chunk(perShard).ToArray();
            var images = new DataField<byte[]>("bytes");
            var paths = new DataField<string>("path");
            var labels = new DataField<long>("label");
            var schema = new ParquetSchema(new StructField("image", images, paths), labels);
            for (int s = 0; s < parts.Length; s++)
            {
                await using var stream = File.Create(
                    Path.Combine(to, "data", $"{name}-{s:d5}-of-{parts.Length:d5}.parquet")
                );
                await using var writer = await ParquetWriter.CreateAsync(schema, stream);
                foreach (var group in parts[s].Chunk(100))
                {
                    using var g = writer.CreateRowGroup();
                    await g.WriteAsync(images, group.Select(i => i.Bytes).ToArray());
                    await g.WriteAsync(paths, group.Select(i => i.Key + ".JPEG").ToArray());
                    await g.WriteAsync<long>(labels, group.Select(i => (long)i.Label).ToArray().AsMemory());
                    g.CompleteValidate();
                }
            }
        }
    }
}
