using LutNative.Harness.Images;
using SkiaSharp;

namespace LutNative.Harness.Tests.Data;

/// <summary>Damaged and dishonest images are refused by name, with what is wrong with them.</summary>
public class ImageTests
{
    [Theory]
    [InlineData("03-damaged-jpeg-called-whole", "restart_lost.jpg", "restart marker 2 stands where 1 is due")]
    [InlineData("18-messages", "trunc_prog_noeoi.jpg", "it is truncated")]
    [InlineData("18-messages", "adler.png", "its checksum is wrong")]
    [InlineData("19-palette-index-out-of-range", "plte_short.png", "colour 7 of a palette of 4")]
    [InlineData("90-broken-files", "huge-1bit.png", "it claims 13300 x 13300 pixels")]
    public void TrialsAreRefused(string trial, string file, string says)
    {
        byte[] bytes = Trials.Bytes(trial, file);
        long before = GC.GetAllocatedBytesForCurrentThread();
        var e = Assert.Throws<ImageException>(() => Decoder.Decode(bytes, "x"));
        Assert.StartsWith("x: ", e.Message);
        Assert.Contains(says, e.Message);
        // nothing is taken for what a file only claims
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4_000_000);
    }

    [Fact]
    public void ALastRestartIntervalThatIsLostIsNamed()
    {
        byte[] lost = Trials.Bytes("03-damaged-jpeg-called-whole", "restart_lost.jpg");
        // without any restart marker: none is out of order, but they are too few
        var none = new List<byte>(lost);
        for (int i = none.Count - 2; i > 0; i--)
            if (none[i] == 0xff && none[i + 1] is >= 0xd0 and <= 0xd7)
                none.RemoveRange(i, 2);
        Assert.Contains(
            "0 restart markers in place of",
            Assert.Throws<ImageException>(() => Decoder.Decode([.. none], "x")).Message
        );
    }

    [Fact]
    public void AChunksChecksumIsNamed()
    {
        byte[] png = File.ReadAllBytes(
            Path.Combine(Repository.Root, "tests", "fixtures", "golden", "images", "jpeg", "0_rgb.png")
        );
        int at = png.AsSpan().IndexOf("IDAT"u8);
        png[at + 40] ^= 1;
        Assert.Contains(
            "the checksum of its chunk IDAT is wrong",
            Assert.Throws<ImageException>(() => Decoder.Decode(png, "x")).Message
        );
        Assert.Contains(
            "it is truncated",
            Assert.Throws<ImageException>(() => Decoder.Decode(png.AsSpan(0, at + 30), "x")).Message
        );
    }

    /// <summary>A palette with a colour for every pixel is no fault, however short it is, with every filter that an
    /// encoder chose.</summary>
    [Theory]
    [InlineData("0_pal.png")]
    [InlineData("1_pal.png")]
    [InlineData("2_pal.png")]
    public void APaletteIsHeldAgainstItsPixels(string file)
    {
        byte[] png = File.ReadAllBytes(
            Path.Combine(Repository.Root, "tests", "fixtures", "golden", "images", "jpeg", file)
        );
        Assert.Null(PngCheck.PaletteFault(png));
        Decoder.Decode(png, file);
    }

    [Fact]
    public void ALargePictureGivesItsBufferBack()
    {
        using var bitmap = new SKBitmap(5000, 4000, SKColorType.Gray8, SKAlphaType.Opaque);
        byte[] png = SKImage.FromBitmap(bitmap).Encode(SKEncodedImageFormat.Png, 100).ToArray();
        var picture = new WeakReference(Decode(png));
        GC.Collect();
        // 80 MB of decoded pixels and 60 MB of picture would still be here
        Assert.True(GC.GetTotalMemory(forceFullCollection: true) < 60_000_000 + Held);
        Assert.False(picture.IsAlive);

        static object Decode(byte[] png) => Decoder.Decode(png, "large");
    }

    private static readonly long Held = GC.GetTotalMemory(forceFullCollection: true);

    [Fact]
    public void NamesOfImagesStayOnOneLine() =>
        Assert.Equal(
            "a\\n::error::\\x1b[31m\\u202e: why",
            new ImageException("a\n::error::\u001b[31m\u202e", "why").Message
        );

    [Fact]
    public void StatsAreThoseOfAllPixels()
    {
        var stats = new ImageStats();
        stats.Add("a", Picture.FromRgb(1, 2, [0, 10, 255, 100, 10, 255]));
        stats.Add("b", Picture.FromRgb(1, 1, [200, 10, 0]));
        Assert.Equal(
            [100 / 255.0, 10 / 255.0, 170 / 255.0],
            stats.Mean.Select(m => m),
            (a, b) => Math.Abs(a - b) < 1e-15
        );
        Assert.Equal(
            [81.64965809277261 / 255, 0, 120.20815280171308 / 255],
            stats.Deviation.Select(m => m),
            (a, b) => Math.Abs(a - b) < 1e-12
        );
        Assert.Equal((1, 2, 2), stats.Of(s => s.Height));
    }

    [Theory]
    [InlineData("0_420_prog.jpg", "JPEG progressive colour")]
    [InlineData("0_422_q90.jpg", "JPEG colour")]
    [InlineData("0_cmyk.jpg", "JPEG CMYK")]
    [InlineData("0_gray.jpg", "JPEG gray")]
    [InlineData("0_pal.png", "PNG palette")]
    [InlineData("0_rgb.png", "PNG RGB")]
    [InlineData("0_rgba.png", "PNG RGB with alpha")]
    public void AKindIsWhatTheHeaderSays(string file, string kind) =>
        Assert.Equal(
            kind,
            ImageStats.KindOf(
                File.ReadAllBytes(Path.Combine(Repository.Root, "tests", "fixtures", "golden", "images", "jpeg", file))
            )
        );
}
