using System.Text;
using LutNative.Harness.Recording;
using LutNative.Harness.Tests.Cli;
using LutNative.Results;

namespace LutNative.Harness.Tests;

/// <summary>
/// A run's folder can be published: it holds no secret of the environment, no user's name and no machine's.
/// </summary>
public sealed class RecordedSettingsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void OnlyWhatCanChangeExecutionIsRecorded()
    {
        (string, string)[] variables =
        [
            ("DOTNET_gcServer", "1"),
            ("COMPlus_EnableAVX2", "0"),
            ("dotnet_TieredPGO", "0"),
            ("DOTNET_SECRET", "hunter2"),
            ("DOTNET_NUGET_TOKEN", "hunter2"),
            ("COMPlus_ApiKey", "hunter2"),
            ("LC_ALL", "C.UTF-8"),
            ("LC_SECRET", "hunter2"),
            ("LANG", "hunter2 with spaces, so no name of a language"),
            ("HOME", "/home/alice"),
            ("OMP_NUM_THREADS", "4"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ("DOTNET_x\nLANG", "hunter2"),
        ];
        Assert.Equal(
            [
                "COMPlus_ApiKey=(not recorded)",
                "COMPlus_EnableAVX2=0",
                "DOTNET_gcServer=1",
                "DOTNET_NUGET_TOKEN=(not recorded)",
                "DOTNET_SECRET=(not recorded)",
                "dotnet_TieredPGO=0",
                "LANG=(not recorded)",
                "LC_ALL=C.UTF-8",
                "OMP_NUM_THREADS=4",
            ],
            RecordedSettings.Of(variables).Order(StringComparer.OrdinalIgnoreCase)
        );
    }

    [Fact]
    public void ThePlacesOfFoldersAreNotRecorded()
    {
        string here = Environment.CurrentDirectory;
        Assert.Equal(
            [
                "../lut.dll",
                "run",
                "hello@1",
                "--data",
                "../imagenet",
                "--data=../imagenet",
                "--set",
                "a.b=../x",
                "-o",
                "runs",
                Path.Combine("runs", "a"),
                "--checkpoint",
                "../w.pth",
                "--seed",
                "3",
            ],
            RecordedSettings.Argv([
                "/opt/alice/lut.dll",
                "run",
                "hello@1",
                "--data",
                "/home/alice/imagenet",
                "--data=/home/alice/imagenet/",
                "--set",
                "a.b=/home/alice/x",
                "-o",
                "runs",
                Path.Combine(here, "runs", "a"),
                "--checkpoint",
                "../../alice/w.pth",
                "--seed",
                "3",
            ])
        );
    }

    /// <summary>Every byte and every value of a whole run's files.</summary>
    [Fact]
    public void ARunTellsNothingOfItsOwner()
    {
        string home = folder["home/alice-of-nowhere"];
        Directory.CreateDirectory(home);
        var environment = new Dictionary<string, string>
        {
            ["DOTNET_SECRET"] = "hunter2",
            ["LC_SECRET"] = "hunter2",
            ["COMPlus_Token"] = "hunter2",
            ["DOTNET_gcConcurrent"] = "0",
            ["HOME"] = home,
            ["USER"] = "alice-of-nowhere",
        };
        var r = Lut.RunWith(environment, "run", "hello@1", "-q", "-o", Path.Combine(home, "runs"));
        Assert.True(r.Exit == 0, r.Out + r.Error);
        string run = Directory.GetDirectories(Path.Combine(home, "runs")).Single();
        var text = new StringBuilder();
        foreach (string file in Directory.GetFiles(run, "*", SearchOption.AllDirectories))
            text.Append(Encoding.Latin1.GetString(File.ReadAllBytes(file)));
        foreach (var schema in Schema.All)
        foreach (var row in new RunStore(run).Read(schema).Records)
        foreach (object? value in schema.Columns.Select(c => c.Value(row)))
            text.Append(value is byte[] b ? Encoding.UTF8.GetString(b) : value).Append('\n');
        string all = text.ToString();
        Assert.Null(new RunStore(run).Read(Schema.Hosts).Rows[0].HostHash);
        Assert.Contains("DOTNET_gcConcurrent=0", all);
        Assert.Contains("DOTNET_SECRET=(not recorded)", all);
        foreach (string secret in new[] { "hunter2", "alice-of-nowhere", folder.Path, AppContext.BaseDirectory })
            Assert.DoesNotContain(secret, all);
    }
}
