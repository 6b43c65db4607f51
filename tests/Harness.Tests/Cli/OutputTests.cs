using System.Text.Json;
using DuckDB.NET.Data;
using LutNative.Results;

namespace LutNative.Harness.Tests.Cli;

/// <summary>What a run leaves and says: tables that DuckDB reads, JSON, modified marks, plans.</summary>
public sealed class OutputTests(HelloRuns hello) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void DuckDbReadsEveryTableOfARunAndFindsNoDivergence()
    {
        string a = hello.Of("run");
        string b = hello.Of("run", "--trace-step", "3");
        using var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        object? Query(string sql)
        {
            using var command = duck.CreateCommand();
            command.CommandText = sql;
            return command.ExecuteScalar();
        }
        // benchmarks, comparisons and analyses have folders of their own
        foreach (var schema in Schema.All.Where(s => s.Name is not ("throughput" or "comparisons" or "analysis")))
            Assert.Equal(
                (long)new RunStore(b).Read(schema).Count,
                Convert.ToInt64(Query($"SELECT count(*) FROM '{b}/{schema.Name}-*.parquet'"))
            );
        Assert.Equal(
            28L,
            Convert.ToInt64(
                Query(
                    $"SELECT count(*) FROM '{a}/steps-*.parquet' a JOIN '{b}/steps-*.parquet' b USING "
                        + "(stage, step) WHERE a.loss_bits = b.loss_bits AND a.state_digest = b.state_digest"
                )
            )
        );
        Assert.Equal(6L * 256, Convert.ToInt64(Query($"SELECT count(*) FROM '{a}/predictions-*.parquet'")));
        // each image evaluated exactly once by each metric
        Assert.Equal(
            0L,
            Convert.ToInt64(
                Query(
                    $"SELECT count(*) FROM (SELECT metric, sample_index, count(*) n FROM '{a}/predictions-*.parquet' "
                        + "GROUP BY ALL HAVING n <> 1)"
                )
            )
        );
        Assert.Equal(
            "hello@1",
            Query(
                $"SELECT decode(value) FROM parquet_kv_metadata('{Directory.GetFiles(a, "run-*.parquet").Single()}') "
                    + "WHERE decode(key) = 'lut.protocol'"
            )
        );
        Assert.True(new FileInfo(Path.Combine(a, "reconstructions.png")).Length > 1000);
    }

    [Fact]
    public void JsonIsOneObjectOnStandardOutput()
    {
        var r = Lut.Started("run", "hello@1", "-o", folder.Path, "--json");
        using var json = JsonDocument.Parse(r.Out);
        Assert.Equal(0, json.RootElement.GetProperty("exit").GetInt32());
        Assert.StartsWith("VERDICT exact=IDENTICAL", json.RootElement.GetProperty("verdict").GetString());
        foreach (
            string[] verb in new[]
            {
                new[] { "plan", "hello@1", "--json" },
                ["doctor", "--json"],
                ["ls", "--json", "-o", folder.Path],
                ["show", folder.Run, "--json"],
                ["compare", folder.Run, folder.Run, "--json"],
                ["verify", folder.Run, "--json"],
            }
        )
            JsonDocument.Parse(Lut.Run(verb).Out).Dispose();
    }

    [Fact]
    public void WithoutATerminalProgressIsPlainLinesOnStandardError()
    {
        var r = Lut.Started("run", "hello@1", "-o", folder.Path);
        Assert.DoesNotContain('\x1b', r.Out + r.Error);
        Assert.Matches(@"stage=pretrain step=12/12 loss=\d\.\d+ lr=\S+ img_per_s=\d+ eta_s=0", r.Error);
    }

    [Fact]
    public void AnOverrideMarksTheRunModifiedAndASeedDoesNot()
    {
        var modified = Lut.Run("run", "hello@1", "-q", "-o", folder["m"], "--set", "pretrain.epochs=1");
        Assert.Contains("hello@1+modified_s0", modified.Out);
        Assert.Equal("VERDICT exact=NO-REFERENCE exit=0", modified.LastLine);
        var seeded = Lut.Run("run", "hello@1", "-q", "-o", folder["s"], "--seed", "3");
        Assert.Contains("hello@1_s3", seeded.Out);
        Assert.DoesNotContain("+modified", seeded.Out);
        Assert.Equal("VERDICT exact=NO-REFERENCE exit=0", seeded.LastLine);
        var incomparable = Lut.Run(
            "compare",
            Directory.GetDirectories(folder["m"]).Single(),
            Directory.GetDirectories(folder["s"]).Single()
        );
        Assert.Equal(4, incomparable.Exit);
        Assert.Contains("exact=INCOMPARABLE", incomparable.LastLine);
        // writing a protocol's own value is no modification
        Assert.Contains(
            "hello@1 ",
            Lut.Run("plan", "hello@1", "--set", "pretrain.epochs=3")
                .Out.Replace("+modified", "MODIFIED")
                .Replace("\n", " ")
        );
    }

    [Fact]
    public void APlanRunsNothing()
    {
        var r = Lut.Run("plan", "fashion-lut@1", "-o", folder.Path);
        Assert.Equal(0, r.Exit);
        foreach (string what in new[] { "parameters", "FLOPs per image", "memory", "time estimate", "math_hash" })
            Assert.Contains(what, r.Out);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void DependenciesRunOneWay()
    {
        static string[] Ours(System.Reflection.Assembly a) =>
            [
                .. a.GetReferencedAssemblies()
                    .Select(n => n.Name!)
                    .Where(n => n.StartsWith("LutNative", StringComparison.Ordinal) || n == "lut")
                    .Order(),
            ];
        Assert.Empty(Ours(typeof(Schema).Assembly));
        Assert.Empty(Ours(typeof(Interop.CudaProbe).Assembly));
        Assert.All(Ours(typeof(Model.Numerics.Philox).Assembly), n => Assert.Equal("LutNative.Interop", n));
    }

    /// <summary>CSV and JSON lines read back to the rows, bits included, in another reader.</summary>
    [Theory]
    [InlineData("csv", "read_csv")]
    [InlineData("jsonl", "read_json")]
    public void ExportedTablesHoldTheSameRows(string format, string reader)
    {
        string run = hello.Of("pretrain");
        string to = folder["tables"];
        var r = Lut.Run("export", run, "--to", format, "-o", to);
        Assert.True(r.Exit == 0 && r.Out.Contains("steps." + format), r.Out + r.Error);
        using var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        using var command = duck.CreateCommand();
        command.CommandText =
            $"SELECT count(*) FROM {reader}('{to}/steps.{format}') a JOIN '{run}/steps-*.parquet' b USING "
            + "(stage, step) WHERE a.loss_bits = b.loss_bits AND CAST(a.loss AS FLOAT) = b.loss AND a.lr = "
            + "b.lr AND a.state_digest IS NOT DISTINCT FROM lower(hex(b.state_digest))";
        Assert.Equal(12L, Convert.ToInt64(command.ExecuteScalar()));
        Assert.Equal(2, Lut.Run("export", run, "--to", "xml", "-o", to).Exit);
    }

    [Fact]
    public void TheSchemaIsPrinted()
    {
        Assert.Contains("grad_norm_bits", Lut.Run("schema", "steps").Out);
        using var json = JsonDocument.Parse(Lut.Run("schema", "--json").Out);
        Assert.Equal(Schema.All.Count, json.RootElement.GetProperty("tables").GetArrayLength());
        Assert.Contains("did you mean steps?", Lut.Run("schema", "step").Error);
    }
}
