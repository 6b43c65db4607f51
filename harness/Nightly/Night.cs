using LutNative.Harness.Bench;
using LutNative.Harness.Commands;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Protocol;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Results;

namespace LutNative.Harness.Nightly;

/// <param name="PinnedBuild">
/// Another build to confirm a slowdown against, in turns; null confirms against the baseline in fresh processes.
/// </param>
/// <param name="Inject">A fault to plant in the bits stage, for drills.</param>
/// <param name="Slow">A slowdown to plant in the perf stage, for drills.</param>
internal sealed record NightOrder(
    Suite Suite,
    string Baselines,
    string Output,
    string Device,
    string? PinnedBuild,
    Fault? Inject,
    double Slow,
    bool Quiet,
    string[] Argv
);

/// <summary>
/// One night: bits first, since a difference there is always real and makes the rest meaningless; then whether training
/// still learns; then speed, where a loss counts only after a second measurement in fresh processes agrees. Clean
/// nights extend the rolling baseline; red ones are recorded and change nothing.
/// </summary>
internal sealed class Night
{
    private readonly NightOrder order;
    private readonly Device device;
    private readonly Progress progress;
    private readonly DateTime at = DateTime.UtcNow;
    private readonly string hardware;
    private readonly string commit;
    private readonly string folder;
    private readonly List<Finding> findings = [];
    private readonly List<(Baseline Against, double Images)> clean = [];
    private readonly Baselines baselines;
    private readonly CancellationToken stop;

    private Night(NightOrder order, CancellationToken stop)
    {
        this.order = order;
        this.stop = stop;
        device = RunOptions.DeviceOf(order.Device, "exact");
        hardware = Machine.HardwareKey(device);
        commit = Machine.GitSha ?? "";
        progress = new Progress(order.Quiet);
        baselines = Baselines.Load(order.Baselines, hardware);
        folder = NightFolder.Make(order.Output, at, order.Suite.Text);
    }

    /// <summary>Runs the night and records it; returns its folder and findings.</summary>
    internal static (string Folder, IReadOnlyList<Finding> Findings) Run(NightOrder order, CancellationToken stop)
    {
        var night = new Night(order, stop);
        foreach (var row in order.Suite.Bits)
            night.Bits(row);
        if (night.findings.Any(f => f.Colour == Colour.Red))
            night.Say("bits differ: the night ends here, since what follows would measure other work");
        else
        {
            foreach (var row in order.Suite.Smoke)
                night.Smoke(row);
            foreach (var row in order.Suite.Perf)
                night.Perf(row);
        }
        night.Disappeared();
        night.Record();
        return (night.folder, night.findings);
    }

    private void Say(string text) => progress.Say(Plain.OneLine(text));

    private void Add(
        string kind,
        string key,
        string verdict,
        string reason,
        PerformanceRow? r = null,
        double? a = null,
        double? b = null
    )
    {
        if (stop.IsCancellationRequested)
            throw new InterruptedException("stopped in the middle of a night; nothing was recorded of it");
        var f = new Finding(at, kind, key, hardware, verdict, commit, reason, a, b);
        findings.Add(r is null ? f : f.With(r));
        Say($"{kind} {key}: {verdict}{(reason.Length > 0 ? ", " + reason : "")}");
    }

    private RunStore Run(
        string protocol,
        long? seed,
        IReadOnlyList<string> set,
        IReadOnlyList<string> stages,
        Fault? inject
    )
    {
        var resolved = ProtocolReader.Load(protocol, set, seed);
        var exec = new ExecOptions(Environment.ProcessorCount, 0, 0, TimeSpan.FromMinutes(1), Inject: inject);
        var on = inject is WrongOperation ? new InstrumentedDevice(device) : device;
        if (inject is not null)
            resolved = resolved with { Name = resolved.Name + "+injected" };
        exec = exec with { Recompute = RunOptions.Recompute("auto", resolved.Spec, on, exec) };
        return Runner.Run(
            new RunRequest(
                resolved,
                exec,
                on,
                Path.Combine(folder, "runs"),
                null,
                null,
                stages,
                null,
                Quiet: true,
                order.Argv
            ),
            stop
        );
    }

    private void Bits(BitsRow row)
    {
        if (Reference.Find(row.Protocol) is not { } reference)
        {
            Add("exact", row.Name, "NO-REFERENCE", $"{row.Protocol} has no committed digests");
            return;
        }
        try
        {
            var report = Reference.Compare(Run(row.Protocol, null, [], RunRequest.AllStages, order.Inject), reference);
            Add(
                "exact",
                row.Name,
                report.Verdict.ToString().ToUpperInvariant(),
                report.First ?? string.Join("; ", report.Details)
            );
        }
        catch (LutError e)
        {
            Add("exact", row.Name, "FAILED", e.Message.Split('\n')[0]);
        }
    }

    private void Smoke(SmokeRow row)
    {
        try
        {
            string stage = row.Metric.Split('_')[0];
            double[] values =
            [
                .. row
                    .Seeds.Select(seed => Run(row.Protocol, seed, row.Set, ["pretrain", stage], null))
                    .Select(run =>
                    {
                        var evals = run.Read(Schema.Evals);
                        int i = Enumerable
                            .Range(0, evals.Rows.Count)
                            .FirstOrDefault(i => evals.Get<string>(i, "metric") == row.Metric, -1);
                        return i >= 0
                            ? evals.Get<double>(i, "value")
                            : throw new LutError(
                                Exit.NothingSelected,
                                11,
                                $"{row.Protocol} has no {row.Metric}",
                                $"[smoke.{row.Name}]",
                                "the run measured "
                                    + string.Join(", ", evals.Rows.Select(r => r[Schema.Evals.IndexOf("metric")])),
                                "name one of them"
                            );
                    }),
            ];
            double mean = values.Average();
            Add(
                "smoke",
                row.Name,
                mean >= row.Low && mean <= row.High ? "IN-BAND" : "OUTSIDE",
                FormattableString.Invariant(
                    $"{row.Metric} {mean:f2} over seeds {string.Join(", ", row.Seeds)}, band {row.Low:f2} to {row.High:f2}"
                ),
                a: row.Low,
                b: mean
            );
        }
        catch (LutError e)
        {
            Add("smoke", row.Name, "FAILED", e.Message.Split('\n')[0]);
        }
    }

    private void Perf(PerfRow row)
    {
        var bench = row.Order with { Device = order.Device, Slow = order.Slow };
        var rows = Measure(row, bench);
        if (!baselines.Rows.TryGetValue(row.Name, out var baseline))
        {
            string[] unfit = [.. Performance.Unfit(rows)];
            if (unfit.Length > 0)
                Add("perf", row.Name, "UNFIT", $"no baseline yet, and {string.Join("; ", unfit)}", b: Images(rows));
            else
                Add(
                    "perf",
                    row.Name,
                    "NO-BASELINE",
                    FormattableString.Invariant(
                        $"{Images(rows):g5} images/s; `lut baseline accept {RecordedSettings.Place(folder)} --reason WHY` makes it one"
                    ),
                    a: null,
                    b: Images(rows)
                );
            return;
        }
        string digest = rows.Get<string>(0, "check_digest");
        if (digest != baseline.Digest)
        {
            Add(
                "perf",
                row.Name,
                "OTHER-WORK",
                $"digest {digest} after three steps, the baseline's is {baseline.Digest}: its speed says nothing"
            );
            return;
        }
        var first = Against(baseline, rows, row.Name);
        if (first.Verdict != PerformanceVerdict.Slower)
        {
            Add("perf", row.Name, first.Verdict.ToString().ToUpperInvariant(), string.Join("; ", first.Why), first);
            if (first.Verdict is PerformanceVerdict.Same or PerformanceVerdict.Undecided or PerformanceVerdict.Faster)
                clean.Add((baseline, Images(rows)));
            return;
        }
        Say(
            FormattableString.Invariant(
                $"perf {row.Name}: {100 * (1 - first.Ratio):f1} % slower; measuring again in fresh processes"
            )
        );
        var second = order.PinnedBuild is { } pinned
            ? InTurns(row, bench, pinned)
            : Against(baseline, Measure(row, bench), row.Name);
        string how = order.PinnedBuild is null
            ? "a second measurement"
            : "a measurement in turns with the pinned build";
        if (second.Verdict == PerformanceVerdict.Slower)
            Add(
                "perf",
                row.Name,
                "SLOWER",
                FormattableString.Invariant(
                    $"{100 * (1 - first.Ratio):f1} % slower, and {100 * (1 - second.Ratio):f1} % in {how}"
                ),
                first
            );
        else if (second.Verdict == PerformanceVerdict.Unfit)
            Add(
                "perf",
                row.Name,
                "UNFIT",
                FormattableString.Invariant(
                    $"{100 * (1 - first.Ratio):f1} % slower at first; {how} found the machine unfit: {string.Join("; ", second.Why)}"
                ),
                second
            );
        else
            Add(
                "perf",
                row.Name,
                "CLEARED",
                FormattableString.Invariant(
                    $"{100 * (1 - first.Ratio):f1} % slower at first; {how} says {second.Verdict.ToString().ToUpperInvariant()} ({second.Ratio:f3})"
                ),
                second
            );
    }

    /// <summary>Fresh launches, kept in the row's own folder of the night.</summary>
    private Table Measure(PerfRow row, BenchOrder bench)
    {
        var rows = Launches.Rows(
            BenchShape.Of(bench),
            bench.Stage,
            DeviceOf(bench),
            Environment.ProcessorCount,
            [.. Enumerable.Range(0, row.Launches).Select(_ => Launches.Fresh(bench))]
        );
        Launches.Write(ThroughputOf(folder, row.Name), rows);
        return rows;
    }

    /// <summary>What the launches of a row run on: its level of math is part of the work.</summary>
    private Device DeviceOf(BenchOrder bench) =>
        bench.Math == "exact" ? device : RunOptions.DeviceOf(bench.Device, bench.Math);

    /// <summary>Where a night keeps what a row's launches measured.</summary>
    internal static string ThroughputOf(string night, string row) => Path.Combine(night, "perf", FileName.Of(row));

    // what pairs in turns do not cancel: the largest of the twenty A/A pairs in docs/COMPARING.md was 1.6 %
    private const double BandInTurns = 0.02;

    private PerformanceRow InTurns(PerfRow row, BenchOrder bench, string pinned)
    {
        var pairs = Enumerable
            .Range(0, row.Launches)
            .Select(_ => Launches.Pair(bench, pinned, bench with { Slow = 0 }))
            .ToList();
        string id = Guid.CreateVersion7().ToString();
        var shape = BenchShape.Of(bench);
        var on = DeviceOf(bench);
        Table mine = Launches.Rows(
            shape,
            bench.Stage,
            on,
            Environment.ProcessorCount,
            [.. pairs.Select(p => p.Mine)],
            id
        );
        Table theirs = Launches.Rows(
            shape,
            bench.Stage,
            on,
            Environment.ProcessorCount,
            [.. pairs.Select(p => p.Theirs)],
            id
        );
        return Performance.Compare(theirs, mine, _ => BandInTurns)[0];
    }

    /// <summary>Against the accepted launches and against the last nights: the worse of the two.</summary>
    private static PerformanceRow Against(Baseline baseline, Table rows, string name)
    {
        var pinned = One(baseline.Pinned);
        if (pinned.Verdict == PerformanceVerdict.Slower || baseline.Rolling.Count < 3)
            return pinned;
        var rolling = One(baseline.Rolling);
        return rolling.Verdict == PerformanceVerdict.Slower
            ? rolling with
            {
                Why = [.. rolling.Why, "against the last nights"],
            }
            : pinned;

        PerformanceRow One(IReadOnlyList<double> medians)
        {
            var old = new Table(Schema.Throughput);
            int rate = Schema.Throughput.IndexOf("images_per_second");
            int launch = Schema.Throughput.IndexOf("launch");
            int id = Schema.Throughput.IndexOf("run_id");
            int load = Schema.Throughput.IndexOf("other_load");
            int slow = Schema.Throughput.IndexOf("slowdown");
            for (int i = 0; i < medians.Count; i++)
                old.Add([
                    .. rows.Rows[0]
                        .Select(
                            (v, c) =>
                                c == rate ? medians[i]
                                : c == launch ? i
                                : c == id ? "baseline"
                                : c == load || c == slow ? null
                                : v
                        ),
                ]);
            return Performance.Compare(old, rows, _ => baseline.BandNow)[0] with { Key = name };
        }
    }

    internal static double Images(Table rows) =>
        Performance.Median([
            .. Enumerable.Range(0, rows.Rows.Count).Select(i => rows.Get<double>(i, "images_per_second")),
        ]);

    /// <summary>
    /// A row that has a baseline and is not in the suite any more fails: it is easily lost without anyone noticing.
    /// </summary>
    private void Disappeared()
    {
        foreach (string name in baselines.Rows.Keys.Where(n => order.Suite.Perf.All(p => p.Name != n)))
            Add(
                "perf",
                name,
                "DISAPPEARED",
                "it has a baseline and is not in the suite: remove it with `lut baseline expire ROW`, or restore it"
            );
    }

    private void Record()
    {
        string id = Guid.CreateVersion7().ToString();
        var table = new Table(Schema.Comparisons);
        foreach (var f in findings)
            f.AddTo(
                table,
                id,
                f.Kind switch
                {
                    "exact" => "reference",
                    "smoke" => "band",
                    _ => "baseline",
                },
                "tonight"
            );
        new RunStore(folder).Commit([table], TableMetadata.Of(id));
        if (findings.All(f => f.Colour != Colour.Red) && clean.Count > 0)
            Roll();
    }

    /// <summary>
    /// Adds tonight's clean speeds to the baselines as they stand now: what was accepted since the night began stays,
    /// and its rows begin new nights.
    /// </summary>
    private void Roll()
    {
        using var alone = Baselines.Take(order.Baselines);
        var now = Baselines.Load(order.Baselines, hardware);
        foreach (var (against, images) in clean)
            if (
                now.Rows.TryGetValue(against.Name, out var row)
                && row.Digest == against.Digest
                && row.Pinned.SequenceEqual(against.Pinned)
            )
                now.Set(row.After(images));
        now.Write();
    }
}
