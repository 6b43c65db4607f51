using System.Runtime.Intrinsics;
using LutNative.Harness.Errors;
using SkiaSharp;

namespace LutNative.Harness.Images;

/// <summary>Why an image was refused: the policy is docs/DATA.md's, and a refusal names the image.</summary>
public sealed class ImageException(string name, string why) : Exception($"{Shown.Name(name)}: {why}")
{
    /// <summary>On one line, whatever the name holds.</summary>
    public string ImageName { get; } = Shown.Name(name);
}

/// <summary>
/// JPEG and PNG bytes to RGB as Pillow 9.4 with convert("RGB") gives them, equal bit for bit (golden/images/decode):
/// gray is repeated, CMYK converted, palettes looked up, alpha dropped, EXIF orientation not applied. What a file
/// claims is checked before memory is taken for it.
/// </summary>
public static class Decoder
{
    /// <summary>Pillow's MAX_IMAGE_PIXELS, from which it warns of a decompression bomb: a file that claims more is
    /// refused before memory is taken.</summary>
    public const long MostPixels = 89_478_485L;

    // beyond this a picture is decoded alone and its buffer given back, so that several threads do not hold one each
    private const int LargePixels = 16_000_000;

    private static readonly Lock Large = new();

    static Decoder() => ScalarJpeg.Ask();

    /// <exception cref="ImageException">
    /// Empty, not JPEG or PNG, 16 bits a channel, too large, truncated or damaged.
    /// </exception>
    public static Picture Decode(ReadOnlySpan<byte> file, string name)
    {
        if (file.IsEmpty)
            throw new ImageException(name, "the file is empty");
        bool jpeg = file.StartsWith((ReadOnlySpan<byte>)[0xff, 0xd8, 0xff]);
        bool png = file.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a]);
        if (!jpeg && !png)
            throw new ImageException(
                name,
                $"neither JPEG nor PNG: it begins with {Convert.ToHexString(file[..Math.Min(8, file.Length)])}"
            );
        if (png && file.Length > 24 && file[24] > 8)
            throw new ImageException(
                name,
                $"a PNG of {file[24]} bits a channel: 8 at most are read, since Pillow's conversion of 16 bits clips"
            );
        unsafe
        {
            fixed (byte* bytes = file)
            {
                using var data = SKData.Create((nint)bytes, file.Length);
                using var codec =
                    SKCodec.Create(data)
                    ?? throw new ImageException(
                        name,
                        png && PngCheck.Why(file) is var why && why != "it is damaged"
                            ? why
                            : "its header cannot be read"
                    );
                int width = codec.Info.Width;
                int height = codec.Info.Height;
                if (width <= 0 || height <= 0 || (long)width * height > MostPixels)
                    throw new ImageException(name, $"it claims {width} x {height} pixels, more than {MostPixels}");
                if ((jpeg ? JpegCheck.RestartFault(file) : PngCheck.PaletteFault(file)) is { } fault)
                    throw new ImageException(name, fault);
                if (width * height <= LargePixels)
                    return Pixels(codec, file, name, ref decoded);
                lock (Large)
                {
                    byte[]? once = null;
                    return Pixels(codec, file, name, ref once);
                }
            }
        }
    }

    private static unsafe Picture Pixels(SKCodec codec, ReadOnlySpan<byte> file, string name, ref byte[]? buffer)
    {
        int width = codec.Info.Width;
        int height = codec.Info.Height;
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul, colorspace: null);
        if (buffer is null || buffer.Length < checked(width * height * 4))
            buffer = GC.AllocateUninitializedArray<byte>(width * height * 4);
        fixed (byte* pixels = buffer)
        {
            var result = codec.GetPixels(info, (nint)pixels);
            if (result != SKCodecResult.Success)
                throw new ImageException(name, Why(file, result));
            var picture = new Picture(width, height);
            fixed (byte* to = picture.Data)
                DropAlpha(to, pixels, width * height);
            return picture;
        }
    }

    private static string Why(ReadOnlySpan<byte> file, SKCodecResult result)
    {
        if (file[0] != 0xff)
            return PngCheck.Why(file);
        return result == SKCodecResult.IncompleteInput || JpegCheck.LacksEnd(file)
            ? "it is truncated"
            : $"it cannot be decoded ({result})";
    }

    // four bytes a pixel; a thread decodes one image at a time
    [ThreadStatic]
    private static byte[]? decoded;

    private static unsafe void DropAlpha(byte* to, byte* from, int pixels)
    {
        int i = 0;
        var order = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
        for (; i + 6 <= pixels; i += 4)
            // writes 16 bytes for 12: the next ones follow
            Vector128.Shuffle(Vector128.Load(from + 4 * i), order).Store(to + 3 * i);
        for (; i < pixels; i++)
            (to[3 * i], to[3 * i + 1], to[3 * i + 2]) = (from[4 * i], from[4 * i + 1], from[4 * i + 2]);
    }
}
