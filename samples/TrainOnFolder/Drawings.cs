using SkiaSharp;

namespace LutNative.Samples;

/// <summary>A folder of drawings for whoever has no images at hand: discs, squares and crosses in many places.</summary>
internal static class Drawings
{
    private const int Size = 28;
    private static readonly string[] Classes = ["cross", "disc", "square"];

    /// <summary>64 images of a class to learn from, 32 to try; always the same ones.</summary>
    internal static void Make(string folder)
    {
        foreach (var (split, count) in new[] { ("train", 64), ("val", 32) })
        foreach (string name in Classes)
        {
            Directory.CreateDirectory(Path.Combine(folder, split, name));
            for (int i = 0; i < count; i++)
            {
                int number = split == "train" ? i : 1000 + i;
                File.WriteAllBytes(Path.Combine(folder, split, name, $"{i:d3}.png"), Draw(name, number));
            }
        }
    }

    /// <summary>A shape of its own size, place and gray on another gray, all from the number.</summary>
    private static byte[] Draw(string name, int number)
    {
        int radius = 4 + number * 7 % 5;
        int x = radius + number * 11 % (Size - 2 * radius);
        int y = radius + number * 5 % (Size - 2 * radius);
        byte dark = (byte)(number * 13 % 90);
        byte light = (byte)(150 + number * 29 % 100);
        using var bitmap = new SKBitmap(Size, Size, SKColorType.Gray8, SKAlphaType.Opaque);
        var pixels = bitmap.GetPixelSpan();
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = Inside(name, i % Size - x, i / Size - y, radius) ? light : dark;
        return bitmap.Encode(SKEncodedImageFormat.Png, 100).ToArray();
    }

    private static bool Inside(string name, int dx, int dy, int radius) =>
        name switch
        {
            "disc" => dx * dx + dy * dy <= radius * radius,
            "square" => Math.Max(Math.Abs(dx), Math.Abs(dy)) <= radius * 3 / 4,
            _ => Math.Min(Math.Abs(dx), Math.Abs(dy)) <= 1 && Math.Max(Math.Abs(dx), Math.Abs(dy)) <= radius,
        };
}
