using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Protocol;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Model.Diagnosis;
using LutNative.Results;

namespace LutNative.Harness.Nightly;

/// <summary>
/// One night: bits first, since a difference there is always real and makes the rest meaningless; then whether training
/// still learns; then speed, where a loss counts only after a second measurement in fresh processes agrees. Clean
/// nights extend the rolling baseline; red ones are recorded and change nothing.
/// </summary>
/// <param name="device">With exact math.</param>
/// <param name="folder">The night's own.</param>
internal sealed class Night(
    NightOrder order,
    DateTime at,
    Device device,
    Baselines baselines,
    string folder,
    CancellationToken stop
)
{
    private readonly Progress progress = new(order.Quiet);
    private readonly string hardware = Machine.HardwareKey(device);
    private readonly string commit = Machine.GitSha ?? "";
    private readonly List<Finding> findings = [];
    private readonly List<(Baseline Against, double Images)> clean = [];

    /// <summary>Runs the night and records it; returns its folder and findings.</summary>
    internal static (string Folder, IReadOnlyList<Finding> Findings) Run(NightOrder order, CancellationToken stop)
    {
        var device = DeviceCatalog.Of(order.Device, "exact");
        var baselines = Baselines.Load(order.Baselines, Machine.HardwareKey(device));
        var at = DateTime.UtcNow;
        string folder = NightFolder.Make(order.Output, at, order.Suite.Text);
        var night = new Night(order, at, device, baselines, folder, stop);
        night.Run();
        return (folder, night.findings);
    }

    private void Run()
    {
        foreach (var row in order.Suite.Bits)
            Bits(row);
        if (findings.Any(f => f.Colour == Colour.Red))
            Say("bits differ: the night ends here, since what follows would measure other work");
        else
        {
            foreach (var row in order.Suite.Smoke)
                Smoke(row);
            foreach (var row in order.Suite.Perf)
                Perf(row);
        }
        Disappeared();
        Record();
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
        IReadOnlyList<StageId> stages,
        Fault? inject
    )
    {
        var resolved = ProtocolReader.Load(protocol, set, seed);
        var exec = new ExecOptions(Environment.ProcessorCount, 0, 0, TimeSpan.FromMinutes(1));
        var on = inject is WrongOperation ? new InstrumentedDevice(device) : device;
        if (inject is not null)
            resolved = resolved with { Name = resolved.Name + "+injected" };
        exec = exec with { Recompute = MemorySetting.Recompute("auto", resolved.Spec, on, exec) };
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
            )
            {
                Drill = new DrillOptions(inject),
            },
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
            var report = Reference.Compare(Run(row.Protocol, null, [], StageId.All, order.Inject), reference);
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
            var measuring = StageId.All.Where(s => s.Name == row.Metric.Split('_')[0]);
            StageId[] stages = [StageId.Pretrain, .. measuring];
            double[] values =
            [
                .. row
                    .Seeds.Select(seed => Run(row.Protocol, seed, row.Set, stages, null))
                    .Select(run =>
                    {
                        var evals = run.Read(Schema.Evals).Rows;
                        return evals.FirstOrDefault(e => e.Metric == row.Metric) is { } found
                            ? found.Value
                            : throw NothingSelectedErrors.NoMetric(
                                row.Protocol,
                                row.Metric,
                                row.Name,
                                evals.Select(e => e.Metric)
                            );
                    }),
            ];
            double mean = values.Average();
            Add(
                "smoke",
                row.Name,
                mean >= row.Low && mean <= row.High ? "IN-BAND" : "OUTSIDE",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{row.Metric} {mean:f2} over seeds {string.Join(", ", row.Seeds)}, band {row.Low:f2} "
                        + $"to {row.High:f2}"
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
        var speed = new SpeedCheck(order, folder, device, baselines, Say).Of(row);
        Add("perf", row.Name, speed.Verdict, speed.Reason, speed.Numbers, b: speed.Images);
        if (speed.Clean is { } found)
            clean.Add(found);
    }

    /// <summary>Where a night keeps what a row's launches measured.</summary>
    internal static string ThroughputOf(string night, string row) => Path.Combine(night, "perf", FileName.Of(row));

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
        var table = new Table<ComparisonRow>();
        foreach (var f in findings)
            table.Add(
                f.ToRow(
                    new RunId(id),
                    f.Kind switch
                    {
                        "exact" => "reference",
                        "smoke" => "band",
                        _ => "baseline",
                    },
                    "tonight"
                )
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
