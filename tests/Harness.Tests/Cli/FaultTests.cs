using System.Diagnostics;
using System.IO.Compression;
using LutNative.Harness.Images;
using LutNative.Results;

namespace LutNative.Harness.Tests.Cli;

/// <summary>Bad input gives one clear error, the documented exit code, and loses nothing that was recorded.</summary>
public sealed class FaultTests(HelloRuns hello) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(2, "did you mean hello@1", "run", "helo@1")]
    [InlineData(2, "there is no protocol file", "run", "nowhere/x.toml")]
    [InlineData(2, "is not a number written with a point", "run", "hello@1", "--lr", "1,5")]
    [InlineData(2, "is not an integer", "run", "hello@1", "--threads", "two")]
    [InlineData(2, "is not an integer", "run", "hello@1", "--threads", "-1")]
    [InlineData(2, "did you mean pretrain.epochs", "run", "hello@1", "--set", "pretrain.epoch=3")]
    [InlineData(2, "is not an integer", "run", "hello@1", "--set", "pretrain.epochs=three")]
    [InlineData(2, "is not a finite number", "run", "hello@1", "--set", "pretrain.blr=1,5")]
    [InlineData(2, "needs the form key=value", "run", "hello@1", "--set", "pretrain.epochs")]
    [InlineData(2, "must be in [0, 1)", "run", "hello@1", "--set", "pretrain.mask_ratio=1.2")]
    [InlineData(2, "grain must divide", "run", "hello@1", "--set", "pretrain.grain=7")]
    [InlineData(2, "did you mean cpu-256", "run", "hello@1", "--device", "cpu-255")]
    [InlineData(2, "did you mean lut run", "rum", "hello@1")]
    [InlineData(2, "there is no run to resume", "run", "hello@1", "--resume", "/nowhere")]
    [InlineData(2, "did you mean gpu", "doctor", "--require", "gpus")]
    [InlineData(6, "there is no folder", "run", "hello@1", "--data", "/nowhere")]
    [InlineData(6, "60000 training images", "run", "fashion-full-lut@1")]
    [InlineData(6, "cannot read", "eval", "hello@1", "--checkpoint", "/nowhere.safetensors")]
    [InlineData(8, "names 0 runs", "show", "no-such-run")]
    [InlineData(8, "names 0 runs", "compare", "no-such-run", "another")]
    [InlineData(8, "there is no interrupted run", "run", "hello@1", "--resume", "auto")]
    public void AMistakeIsOneClearErrorWithItsExitCode(int exit, string says, params string[] args)
    {
        var r = Lut.Run([.. args, .. args[0] is "run" or "eval" ? new[] { "-o", folder.Path } : []]);
        Assert.True(r.Exit == exit, $"exit {r.Exit}, expected {exit}\n{r.Out}{r.Error}");
        Assert.Contains(says, r.Error);
        Assert.Matches(
            @"^error LUT\d+: ",
            r.Error.Split('\n').First(l => l.StartsWith("error", StringComparison.Ordinal))
        );
        foreach (string part in new[] { "where:", "why:", "fix:" })
            Assert.Contains(part, r.Error);
        Assert.DoesNotContain("   at ", r.Error);
        Assert.Empty(r.Out);
    }

    [Fact]
    public void EveryProblemOfAProtocolFileIsReportedAtOnce()
    {
        using var stream = typeof(FashionMnist).Assembly.GetManifestResourceStream("protocols/hello@1.toml")!;
        string text = new StreamReader(stream)
            .ReadToEnd()
            .Replace("epochs = 3", "epochs = \"3\"")
            .Replace("mask_ratio", "mask_ration")
            .Replace("seed = 0\n", "");
        File.WriteAllText(folder["p.toml"], text);
        var r = Lut.Run("plan", folder["p.toml"]);
        Assert.Equal(2, r.Exit);
        Assert.Contains("unknown key pretrain.mask_ration; did you mean pretrain.mask_ratio?", r.Error);
        Assert.Contains("missing key pretrain.mask_ratio", r.Error);
        Assert.Contains("missing key seed", r.Error);
        Assert.Contains("pretrain.epochs = \"3\" is not an integer", r.Error);
        Assert.Matches(@"p\.toml:\d+: ", r.Error);
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("truncated")]
    [InlineData("flipped")]
    [InlineData("header")]
    public void DamagedDataIsRefusedByName(string kind)
    {
        foreach (string f in Directory.GetFiles(FashionMnist.Embedded))
            File.Copy(f, folder[Path.GetFileName(f)]);
        string victim = folder["train10k-images-idx3-ubyte.gz"];
        byte[] raw = Unzip(victim);
        switch (kind)
        {
            case "missing":
                File.Delete(victim);
                break;
            case "truncated":
                File.WriteAllBytes(victim, File.ReadAllBytes(victim)[..100_000]);
                break;
            case "flipped":
                raw[5_000_000] ^= 1;
                File.WriteAllBytes(victim, raw);
                break;
            default:
                raw[4] = 0x7f; // promises two thousand million images
                File.WriteAllBytes(victim, raw);
                break;
        }
        var r = Lut.Run("run", "hello@1", "-q", "--data", folder.Path, "-o", folder["out"]);
        Assert.True(r.Exit == 6, r.Error);
        Assert.Contains("train", r.Error);
    }

    [Fact]
    public void ANonFiniteLossStopsWithTheStepAndTensorAndKeepsWhatWasRecorded()
    {
        var r = Lut.Run(
            "run",
            "hello@1",
            "-o",
            folder.Path,
            "--set",
            "pretrain.blr=1e30",
            "--set",
            "pretrain.warmup_epochs=0.0",
            "--checkpoint-minutes",
            "0.0001"
        );
        Assert.True(r.Exit == 7, r.Out + r.Error);
        Assert.Contains("LUT7001", r.Error);
        Assert.Matches(@"at step \d+ of pretrain", r.Error);
        Assert.NotEmpty(new RunStore(folder.Run).Read(Schema.Steps).Rows);
    }

    [Fact]
    public void AFullDiskIsOneErrorAndEveryFinishedRecordStaysReadable()
    {
        string mount = folder["small"];
        Directory.CreateDirectory(mount);
        if (Sh($"mount -t tmpfs -o size=400k tmpfs {mount}") != 0)
            Assert.Skip("mounting a small tmpfs needs root");
        try
        {
            var r = Lut.Run("run", "hello@1", "-q", "-o", mount, "--checkpoint-minutes", "0.0001");
            Assert.True(r.Exit == 9, $"exit {r.Exit}\n{r.Out}{r.Error}");
            Assert.Contains("cannot write", r.Error);
            Assert.Contains("free some space", r.Error);
            string run = Directory.GetDirectories(mount).Single();
            foreach (string table in Directory.GetFiles(run, "*.parquet"))
                TableFile.Read(table);
            Assert.Empty(Directory.GetFiles(run, "*.tmp", SearchOption.AllDirectories));
            // with space again, the same run finishes with the same bits
            Assert.Equal(0, Sh($"mount -o remount,size=20m {mount}"));
            var again = Lut.Run("run", "hello@1", "-q", "-o", mount, "--resume", run);
            Assert.True(again.Exit == 0 && again.LastLine.Contains("exact=IDENTICAL"), again.Out + again.Error);
        }
        finally
        {
            Sh($"umount -l {mount}");
        }
    }

    [Fact]
    public void AnOutputThatCannotBeWrittenIsOneError()
    {
        File.WriteAllText(folder["file"], "");
        var r = Lut.Run("run", "hello@1", "-q", "-o", folder["file"]);
        Assert.True(r.Exit == 9, r.Error);
        Assert.Contains("cannot create the run's folder", r.Error);
    }

    [Fact]
    public async Task AResultOfANewerSchemaIsRefused()
    {
        hello.CopyTo(folder.Path, "pretrain");
        var field = new Parquet.Schema.DataField<int>("x");
        await using (var stream = File.Create(Directory.GetFiles(folder.Run, "steps-*.parquet")[0]))
        await using (
            var writer = await Parquet.ParquetWriter.CreateAsync(new Parquet.Schema.ParquetSchema(field), stream)
        )
        {
            writer.CustomMetadata = new Dictionary<string, string>
            {
                ["lut.table"] = "steps",
                ["lut.schema_version"] = "7.1",
            };
            using var group = writer.CreateRowGroup();
            await group.WriteAsync<int>(field, new[] { 1 }.AsMemory());
        }
        var r = Lut.Run("compare", folder.Run, folder.Run);
        Assert.Equal(9, r.Exit);
        Assert.Contains("has schema 7.1", r.Error);
        Assert.Contains("use a newer lut", r.Error);
    }

    [Fact]
    public void AFolderWithoutWritePermissionIsOneError()
    {
        string locked = folder["locked"];
        Directory.CreateDirectory(locked);
        if (OperatingSystem.IsWindows() || Sh($"chmod 555 {locked} && ! touch {locked}/x 2>/dev/null") != 0)
            Assert.Skip("this user may write everywhere (root)");
        var r = Lut.Run("run", "hello@1", "-q", "-o", locked);
        Assert.True(r.Exit == 9, r.Error);
        Assert.Contains("cannot create the run's folder", r.Error);
    }

    [Fact]
    public void ADamagedCheckpointIsNamedAndSkipped()
    {
        hello.CopyTo(folder.Path, "run", "--stop-after", "3");
        Assert.Equal(
            75,
            Lut.Run("run", "hello@1", "-q", "-o", folder.Path, "--stop-after", "3", "--resume", "auto").Exit
        );
        string[] checkpoints =
        [
            .. Directory.GetFiles(Path.Combine(folder.Run, "checkpoints"), "*.safetensors").Order(),
        ];
        Assert.Equal(2, checkpoints.Length);
        Flip(checkpoints[1]);
        var verify = Lut.Run("verify", checkpoints[1]);
        Assert.Equal(3, verify.Exit);
        Assert.Matches(@"damage: tensor [a-z_0-9.]+ does not have the digest", verify.Out);
        var r = Lut.Run("run", "hello@1", "-o", folder.Path, "--resume", "auto");
        Assert.True(r.Exit == 0 && r.LastLine.Contains("exact=IDENTICAL"), r.Out + r.Error);
        Assert.Contains("skipping a damaged checkpoint", r.Error);
        Assert.Contains(Path.GetFileName(checkpoints[1]), r.Error);
    }

    [Fact]
    public void ACheckpointOfAnotherModelIsRefusedWithBothShapes()
    {
        string checkpoint = Directory
            .GetFiles(Path.Combine(hello.Of("pretrain"), "checkpoints"), "pretrain-*.safetensors")
            .Single();
        var r = Lut.Run(
            "eval",
            "hello@1",
            "-q",
            "-o",
            folder.Path,
            "--checkpoint",
            checkpoint,
            "--set",
            "model.width=64"
        );
        Assert.Equal(6, r.Exit);
        Assert.Contains("has shape", r.Error);
        var fine = Lut.Run("eval", "hello@1", "-q", "-o", folder["e"], "--checkpoint", checkpoint);
        Assert.True(
            fine.Exit == 0
                && System.Text.RegularExpressions.Regex.IsMatch(fine.Out, "knn_top1 +" + Committed("knn_top1")),
            fine.Out + fine.Error
        );
        Assert.Equal(0, Lut.Run("finetune", "hello@1", "-q", "-o", folder["f"], "--checkpoint", checkpoint).Exit);
    }

    [Fact]
    public void AFlippedBitInACheckpointOrARecordIsNamedByCompareAndVerify()
    {
        string a = hello.Of("run");
        string b = hello.CopyTo(folder["b"], "run", "--threads", "1");
        var same = Lut.Run("compare", a, b);
        Assert.True(
            same.Exit == 0 && same.LastLine.StartsWith("VERDICT exact=IDENTICAL steps=28", StringComparison.Ordinal),
            same.Out
        );

        string checkpoint = Directory.GetFiles(Path.Combine(b, "checkpoints"), "pretrain-*.safetensors").Single();
        Flip(checkpoint);
        var compared = Lut.Run("compare", Path.Combine(a, "checkpoints", Path.GetFileName(checkpoint)), checkpoint);
        Assert.Equal(3, compared.Exit);
        Assert.Matches(
            @"first difference: [a-z_0-9.]+\[\d+\]: 0x[0-9a-f]{8} .* is not 0x[0-9a-f]{8} .* 1 of \d+ elements differ",
            compared.Out
        );
        var verified = Lut.Run("verify", b);
        Assert.Equal(3, verified.Exit);
        Assert.Contains($"damage: checkpoints/{Path.GetFileName(checkpoint)} has changed", verified.Out);

        // one bit of one recorded digest, in an otherwise valid table
        string part = Directory.GetFiles(b, "digests-*.parquet").Order().First();
        var (table, meta) = TableFile.ReadWithMetadata(part);
        var rows = table.Records.Cast<DigestRow>().ToList();
        int row = rows.Count / 2;
        byte[] digest = rows[row].Digest.ToArray();
        digest[5] ^= 0x10;
        rows[row] = rows[row] with { Digest = new DigestBytes(digest) };
        TableFile.Write(
            part,
            new Table<DigestRow>(rows),
            meta.Where(m => !m.Key.StartsWith("lut.content", StringComparison.Ordinal)).ToDictionary()
        );
        var report = Lut.Run("compare", a, b);
        Assert.Equal(3, report.Exit);
        Assert.Contains($"step={rows[row].Step} tensor={rows[row].Tensor} digest:", report.Out);
    }

    /// <summary>correct/n of a metric in hello@1's reference.</summary>
    private static string Committed(string metric) =>
        Reference.Find("hello@1")!.Single(l => l.StartsWith($"eval {metric} ", StringComparison.Ordinal)).Split(' ')[2];

    private static void Flip(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bytes[^(bytes.Length / 3)] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private static byte[] Unzip(string path)
    {
        using var gzip = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using var all = new MemoryStream();
        gzip.CopyTo(all);
        return all.ToArray();
    }

    private static int Sh(string command)
    {
        if (OperatingSystem.IsWindows())
            return -1;
        using var p = Process.Start(new ProcessStartInfo("sh", ["-c", command]) { RedirectStandardError = true })!;
        p.WaitForExit();
        return p.ExitCode;
    }

    /// <summary>--keep-epochs: the ends of those epochs stay, beside the newest two; epochs are logged.</summary>
    [Fact]
    public void CheckpointsAtTheEndsOfEpochsAreKept()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(
            0,
            Lut.Run(
                "pretrain",
                "hello@1",
                "-q",
                "-o",
                folder.Path,
                "--keep-epochs",
                "1",
                "--checkpoint-minutes",
                "0"
            ).Exit
        );
        int[] steps =
        [
            .. Directory
                .GetFiles(Path.Combine(folder.Run, "checkpoints"), "pretrain-*.safetensors")
                .Select(f =>
                    int.Parse(
                        Path.GetFileNameWithoutExtension(f)[9..],
                        System.Globalization.CultureInfo.InvariantCulture
                    )
                )
                .Order(),
        ];
        Assert.Equal([4, 8, 11, 12], steps);
        var events = new LutNative.Results.RunStore(folder.Run).Read(LutNative.Results.Schema.Events);
        Assert.Equal(3, events.Rows.Count(e => e.Key == "epoch"));
    }
}
