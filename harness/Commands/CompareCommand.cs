using System.CommandLine;
using System.Globalization;
using LutNative.Harness.Diagnosis;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Recording;
using LutNative.Harness.Reports;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Model.Checkpoints;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>compare A B: two runs, or two checkpoints, bit by bit.</summary>
internal static class CompareCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "compare",
            "Compare two runs (or two checkpoints) bit by bit: IDENTICAL, or the first difference. Example: lut compare runs/a runs/b"
        );
        Argument<string> a = new("A") { Description = "A run's folder or a .safetensors file" };
        Argument<string> b = new("B") { Description = "The other one" };
        Argument<string[]> more = new("more")
        {
            Description = "With --perf further folders: a table of machines, the first as the reference",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<bool> perf = new("--perf")
        {
            Description =
                "Compare two folders of `lut bench SHAPE -o FOLDER`: FASTER, SAME, SLOWER or UNDECIDED (B beside A)",
        };
        Option<double?> band = Numbers.Double(
            "--band",
            "Ratio that counts as noise with --perf (0.03 by default)",
            0,
            10
        );
        Option<bool> exact = new("--exact") { Description = "Compare bits: what happens without --perf" };
        Option<string?> plot = new("--plot") { Description = "Also draw how the losses drift apart, as this SVG file" };
        Option<string?> output = new("--output", "-o")
        {
            Description = "Also write what was found to this folder (table comparisons)",
        };
        Option<bool> json = new("--json") { Description = "Print the result as one JSON object" };
        command.Arguments.Add(a);
        command.Arguments.Add(b);
        command.Arguments.Add(more);
        foreach (Option o in new Option[] { exact, perf, band, plot, output, json })
            command.Options.Add(o);
        command.SetAction(r =>
        {
            if (r.GetValue(exact) && r.GetValue(perf))
                throw new LutError(
                    Exit.Usage,
                    36,
                    "--exact and --perf are two questions",
                    "compare",
                    "bits have no tolerance, and speeds are never equal",
                    "ask them one by one"
                );
            if (!r.GetValue(perf) && r.GetValue(more) is { Length: > 0 })
                throw new LutError(
                    Exit.Usage,
                    38,
                    "bits are compared in pairs",
                    string.Join(' ', r.GetValue(more)!),
                    "only --perf makes a table of more than two",
                    "compare them one by one"
                );
            return (int)(
                r.GetValue(perf)
                    ? Speed(
                        [r.GetValue(a)!, r.GetValue(b)!, .. r.GetValue(more) ?? []],
                        r.GetValue(band) ?? PerformanceReport.DefaultBand,
                        r.GetValue(output),
                        r.GetValue(json)
                    )
                    : Execute(r.GetValue(a)!, r.GetValue(b)!, r.GetValue(plot), r.GetValue(output), r.GetValue(json))
            );
        });
        return command;
    }

    private static Exit Execute(string a, string b, string? plot, string? output, bool json)
    {
        if (a.EndsWith(".safetensors", StringComparison.Ordinal))
            return Tell(Checkpoints(a, b), "checkpoints", a, b, null, plot, output, json);
        var (x, y) = (RunFolders.Find(a), RunFolders.Find(b));
        return Tell(Comparison.Exact(x, y), ProtocolOf(x), a, b, (x, y), plot, output, json);
    }

    /// <param name="runs">
    /// The two sides where they are runs: what follows from a difference is told of those alone.
    /// </param>
    private static Exit Tell(
        ExactReport report,
        string key,
        string a,
        string b,
        (RunStore A, RunStore B)? runs,
        string? plot,
        string? output,
        bool json
    )
    {
        var (x, y) = report.Verdict == ExactVerdict.Diverged && runs is { } pair ? pair : default;
        bool diverged = x is not null;
        IReadOnlyList<GrowthRow> growth = diverged ? Divergence.Growth(x!, y!) : [];
        IReadOnlyList<FlipRow> flips = diverged ? Divergence.Flips(x!, y!) : [];
        IReadOnlyList<string> environment = diverged ? Divergence.Environment(x!, y!) : [];
        string[] replay = diverged ? Replay(x!, y!, report.At) : [];
        if (plot is not null && diverged)
            Plot(plot, growth);
        if (output is not null)
            Record(output, [(Found("exact", key, report.Verdict.ToString(), report.First ?? ""), a, b)]);
        var exit = Output.ExitOf(report.Verdict);
        string verdict = Output.Verdict(report, exit);
        if (json)
            Output.Json(
                new
                {
                    verdict = report.Verdict.ToString().ToUpperInvariant(),
                    first = report.First,
                    ladder = report.Ladder,
                    replay,
                    details = report.Details,
                    compared = report.Compared,
                    growth,
                    flips,
                    environment,
                    exit = (int)exit,
                }
            );
        else
        {
            if (report.First is not null)
                Output.Line("first difference: " + report.First);
            foreach (string d in report.Details)
                Output.Line(d);
            if (diverged)
                Output.Table(
                    ["rung", "compared", "differ", "first"],
                    report.Ladder.Select(r => new[] { r.Name, Text(r.Compared), Text(r.Differ), r.First ?? "" })
                );
            if (growth.Count > 0)
                Output.Table(
                    ["stage", "step", "loss A", "loss B", "ulp", "relative"],
                    growth.Select(g =>
                        new[]
                        {
                            g.Stage,
                            Text(g.Step),
                            Text(g.LossA),
                            Text(g.LossB),
                            Text(g.Ulp),
                            g.Relative.ToString("0.0e+0", CultureInfo.InvariantCulture),
                        }
                    )
                );
            if (flips.Count > 0)
                Output.Table(
                    ["metric", "images", "other answer", "only A right", "only B right", "McNemar p"],
                    flips.Select(f =>
                        new[]
                        {
                            f.Metric,
                            Text(f.Images),
                            Text(f.Differ),
                            Text(f.OnlyA),
                            Text(f.OnlyB),
                            f.PValue.ToString("f3", CultureInfo.InvariantCulture),
                        }
                    )
                );
            foreach (string line in environment)
                Output.Line("different: " + line);
            if (diverged && environment.Count == 0)
                Output.Line(
                    "different: nothing that was recorded of the machines; look for a fault (`lut trace`), or run both with --self-check"
                );
            foreach (string line in replay)
                Output.Line("replay: " + line);
            Output.Line(verdict);
        }
        return exit;
    }

    private static Exit Speed(string[] folders, double band, string? output, bool json)
    {
        (string Folder, IReadOnlyList<ThroughputRow> Rows)[] all =
        [
            .. folders.Select(f => (f, new RunStore(f).Read(Schema.Throughput).Rows)),
        ];
        foreach (var (folder, rows) in all)
            if (rows.Count == 0)
                throw new LutError(
                    Exit.NothingSelected,
                    6,
                    $"{folder} has no throughput table",
                    Path.GetFullPath(folder),
                    "it is what `lut bench SHAPE -o FOLDER` writes",
                    "name folders of benchmarks"
                );
        var compared = all.Skip(1).Select(f => Performance.Compare(all[0].Rows, f.Rows, _ => band)).ToArray();
        if (output is not null)
            Record(
                output,
                all.Skip(1)
                    .Zip(compared)
                    .SelectMany(f =>
                        f.Second.Select(r =>
                            (
                                Found("perf", r.Key, r.Verdict.ToString(), string.Join("; ", r.Why)).With(r),
                                all[0].Folder,
                                f.First.Folder
                            )
                        )
                    )
            );
        return all.Length > 2
            ? PerformanceReport.Across(all, compared, json)
            : PerformanceReport.Print(compared[0], json);
    }

    private static string ProtocolOf(RunStore run) => run.Read(Schema.Run).First?.Protocol ?? "";

    private static Finding Found(string kind, string key, string verdict, string reason) =>
        new(DateTime.UtcNow, kind, key, "", verdict.ToUpperInvariant(), Machine.GitSha ?? "", reason);

    private static void Record(string folder, IEnumerable<(Finding Found, string A, string B)> findings)
    {
        string id = Guid.CreateVersion7().ToString();
        var table = new Table<ComparisonRow>(
            findings.Select(f => f.Found.ToRow(new RunId(id), RecordedSettings.Place(f.A), RecordedSettings.Place(f.B)))
        );
        RunStore
            .Create(folder)
            .Commit(
                [table],
                new Dictionary<string, string> { ["lut.run_id"] = id, ["lut.writer"] = "lut " + LutVersion.Text }
            );
    }

    /// <summary>Commands that bring the first difference back.</summary>
    private static string[] Replay(RunStore a, RunStore b, FirstStep? at)
    {
        if (at is null)
            return [];
        var run = a.Read(Schema.Run).First;
        // a built-in protocol is told by its name; a changed one, or a run that has not ended, by what it stored
        string protocol =
            run is not null && !run.Protocol.Contains('+')
                ? FormattableString.Invariant($"{run.Protocol} --seed {run.Seed}")
                : Path.Combine(a.Folder, "config.resolved.toml");
        // fine-tuning and probes of weights from outside need the same file again
        string weights = OuterWeightsFile.Of(a) is { } used ? " " + used.Options : "";
        string stage =
            at.Stage == StageId.Pretrain.Name
                ? FormattableString.Invariant(
                    $"lut pretrain {protocol} --trace-step {at.Step} --stop-after {at.Step + 1}"
                )
                : FormattableString.Invariant(
                    $"lut {(weights.Length == 0 ? "run" : at.Stage == StageId.Finetune.Name ? at.Stage : "eval")} {protocol}{weights} --trace-step {at.Step}"
                );
        return
        [
            $"lut trace {a.Folder} {b.Folder}{(at.Stage == StageId.Finetune.Name ? weights : "")}",
            stage + "   (on either machine; then compare its operations)",
        ];
    }

    private static void Plot(string path, IReadOnlyList<GrowthRow> growth)
    {
        var series = growth
            .GroupBy(g => g.Stage)
            .Select(g => new Series(
                g.Key,
                [.. g.Select(r => (double)r.Step)],
                [.. g.Select(r => r.Relative)],
                Points: true
            ))
            .ToList();
        try
        {
            WholeFile.WriteText(
                path,
                Chart.File(
                    "How the losses drift apart",
                    "step",
                    "relative difference of the losses",
                    series,
                    logY: true
                )
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LutError(
                Exit.Store,
                15,
                "cannot write the plot",
                Path.GetFullPath(path),
                e.Message,
                "choose another --plot"
            );
        }
    }

    private static string Text(IFormattable x) => x.ToString(null, CultureInfo.InvariantCulture);

    private static ExactReport Checkpoints(string a, string b)
    {
        using TensorFile fileA = Safetensors.Open(a);
        using TensorFile fileB = Safetensors.Open(b);
        var (x, y) = (fileA.Tensors, fileB.Tensors);
        string? first = null;
        int differ = 0;
        int common = 0;
        foreach (var (name, t) in x.Where(t => y.ContainsKey(t.Key)))
        {
            common++;
            bool alike = t.Type == y[name].Type && t.Shape.SequenceEqual(y[name].Shape);
            string? difference = alike ? TensorDifference.First(t, y[name]) : $"{name}: shape or type differs";
            if (difference is null)
                continue;
            differ++;
            first ??= difference;
        }
        int onlyA = x.Keys.Count(k => !y.ContainsKey(k));
        int onlyB = y.Keys.Count(k => !x.ContainsKey(k));
        var verdict =
            differ > 0 ? ExactVerdict.Diverged
            : onlyA + onlyB > 0 ? ExactVerdict.Missing
            : ExactVerdict.Identical;
        return new ExactReport(
            verdict,
            first,
            [$"tensors: {common} compared, {differ} differ, {onlyA} only in A, {onlyB} only in B"]
        )
        {
            Compared = new Dictionary<string, int> { ["tensors"] = common },
        };
    }
}
