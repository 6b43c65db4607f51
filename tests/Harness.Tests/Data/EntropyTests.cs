using System.Security.Cryptography;
using LutNative.Harness.Images;
using LutNative.Harness.Images.Jpeg;

namespace LutNative.Harness.Tests.Data;

/// <summary>
/// Damage inside a JPEG's coded data: what libjpeg would warn about is named, what it decodes without a word is not.
/// </summary>
public class EntropyTests
{
    public static TheoryData<string> Golden =>
        [.. Directory.GetFiles(Folder, "*.jpg").Select(f => Path.GetFileName(f)!)];

    private static string Folder => Path.Combine(Repository.Root, "tests", "fixtures", "golden", "images", "jpeg");

    /// <summary>Baseline and progressive, gray, CMYK, every sampling that the golden files have.</summary>
    [Theory]
    [MemberData(nameof(Golden))]
    public void WholeFilesAreWhole(string file) =>
        Assert.Null(EntropyCheck.Problem(File.ReadAllBytes(Path.Combine(Folder, file))));

    [Theory]
    [MemberData(nameof(Golden))]
    public void ACutFileThatWasClosedIsNamed(string file)
    {
        byte[] whole = File.ReadAllBytes(Path.Combine(Folder, file));
        int scan = whole.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xff, 0xda]) + 2;
        byte[] cut = [.. whole.AsSpan(0, scan + (whole.Length - scan) / 2), 0xff, 0xd9];
        Assert.NotNull(EntropyCheck.Problem(cut));
        Assert.Contains("truncated", EntropyCheck.Problem(whole.AsSpan(0, whole.Length - 2)));
        Assert.Contains("to no", EntropyCheck.Problem([.. whole.AsSpan(0, whole.Length - 2), 1, 2, 3, 0xff, 0xd9]));
    }

    [Theory]
    [InlineData("03-damaged-jpeg-called-whole", "flip_base_1.jpg", "")]
    [InlineData("03-damaged-jpeg-called-whole", "restart_lost.jpg", "RST1")]
    [InlineData("03-damaged-jpeg-called-whole", "trunc_base_half_eoi.jpg", "its data ends early")]
    [InlineData("18-messages", "trunc_prog_noeoi.jpg", "truncated")]
    public void TrialsAreNamed(string trial, string file, string says) =>
        Assert.Contains(says, EntropyCheck.Problem(Trials.Bytes(trial, file)));

    /// <summary>
    /// libjpeg says nothing about these, and its vector code gives other pixels: the scalar code's are the right ones.
    /// </summary>
    [Theory]
    [InlineData("02-jpeg-pixels-by-machine", "bw_dqt_x8.jpg", "8b07f198")]
    [InlineData("02-jpeg-pixels-by-machine", "col_dqt_x4.jpg", "5c332473")]
    [InlineData("03-damaged-jpeg-called-whole", "flip_base_1.jpg", "3f5dcf80")]
    public void CoefficientsOutOfRangeHaveOneAnswer(string trial, string file, string sha256)
    {
        var picture = Decoder.Decode(Trials.Bytes(trial, file), file);
        Assert.StartsWith(
            sha256,
            Convert.ToHexStringLower(SHA256.HashData(picture.Data.AsSpan(0, 3 * picture.Width * picture.Height)))
        );
        if (trial.StartsWith("02", StringComparison.Ordinal))
            Assert.Null(EntropyCheck.Problem(Trials.Bytes(trial, file)));
    }

    /// <summary>Whatever bytes come, the check ends with an answer.</summary>
    [Fact]
    public void AnyBytesHaveAnAnswer()
    {
        var random = new Random(7);
        byte[][] files =
        [
            .. Directory.GetFiles(Folder, "*.jpg").Order(StringComparer.Ordinal).Select(File.ReadAllBytes),
        ];
        int named = 0;
        for (int n = 0; n < 3000; n++)
        {
            byte[] file = [.. files[n % files.Length]];
            for (int k = 0; k < 1 + n % 4; k++)
                file[random.Next(2, file.Length)] = (byte)random.Next(256);
            if (
                EntropyCheck.Problem(file.AsSpan(0, n % 3 == 0 ? random.Next(4, file.Length) : file.Length)) is not null
            )
                named++;
        }
        Assert.InRange(named, 1500, 2999);
    }

    [Fact]
    public void DataCheckNamesThem()
    {
        using var folder = new Cli.TemporaryFolder();
        string classes = Directory.CreateDirectory(folder["val/c0"]).FullName;
        File.WriteAllBytes(
            Path.Combine(classes, "cut.jpg"),
            Trials.Bytes("03-damaged-jpeg-called-whole", "trunc_base_half_eoi.jpg")
        );
        File.Copy(Path.Combine(Folder, "0_420_q75.jpg"), Path.Combine(classes, "whole.jpg"));
        var run = Cli.Lut.Run("data", "check", folder.Path, "--split", "val");
        Assert.Equal(6, run.Exit);
        Assert.Contains("cut.jpg: it is damaged: its data ends early", run.Out);
        Assert.Contains("1 of 2 images are whole", run.Out);
    }
}
