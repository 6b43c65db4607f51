using LutNative.Harness.Errors;
using LutNative.Harness.Recording;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Model.Diagnosis;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Results;

namespace LutNative.Harness.Diagnosis;

/// <summary>
/// Finds out which of two runs is wrong where they part first, and why. Both recorded digests alone; this machine runs
/// the steps again from the last checkpoint that they share, watches every operation of the differing one, and then
/// tries what could have given the other's bits: a value changed in memory after the step (digests are sums, so their
/// difference names element and bit), and the usual other ways of computing (order of sums, split sums, no fused
/// multiply-add, TF32, flush to zero), operation by operation.
/// </summary>
public sealed class Trace
{
    private readonly TracedStage stage;
    private readonly long step;
    private readonly Recorded a;
    private readonly Recorded b;
    private readonly Action<string> say;
    private readonly OtherArithmetic other;

    private Trace(TracedStage stage, long step, Recorded a, Recorded b, Action<string> say)
    {
        this.stage = stage;
        this.step = step;
        this.a = a;
        this.b = b;
        this.say = say;
        other = new OtherArithmetic(stage, step);
    }

    /// <exception cref="LutError">
    /// The stage's beginning is not in the runs (exit 6), or it is one that cannot be traced (exit 2).
    /// </exception>
    /// <param name="weights">
    /// What the runs were given by --checkpoint, where they began with weights from outside.
    /// </param>
    public static TraceReport Run(
        RunStore a,
        RunStore b,
        FirstStep at,
        Device on,
        string? dataFolder,
        Action<string> say,
        OuterWeightsFile? weights = null
    )
    {
        var recordedA = new Recorded(a, at.Stage);
        var recordedB = new Recorded(b, at.Stage);
        // a checkpoint is shared when no later than the last state that both recorded, and found equal
        long shared = recordedA.LastState(recordedB, at.Step) + 1;
        using var stage = TracedStage.Open(at.Stage, (a, b), shared, on, dataFolder, say, weights);
        return new Trace(stage, at.Step, recordedA, recordedB, say).Report();
    }

    private TraceReport Report()
    {
        var trainer = stage.Trainer;
        say(
            FormattableString.Invariant(
                $"running {trainer.Stage} from step {stage.From} ({stage.Source}) to step {step}"
            )
        );
        var begin = new Snapshot(trainer);
        RunToTheStep();
        var before = stage.From == step ? begin : new Snapshot(trainer);
        var operations = new List<Operation>();
        var report = StepTrace.Record(trainer, stage.Device, step, operations.Add);
        var mine = new MyStep(begin, before, report, trainer.Digests(stage.Pool), operations);
        return new TraceReport(
            trainer.Stage,
            step,
            stage.From,
            stage.Source,
            Side(a, "A", mine),
            Side(b, "B", mine),
            operations
        );
    }

    private void RunToTheStep()
    {
        for (long s = stage.From; s < step; s++)
        {
            var (r, state) = stage.Step(s);
            if (a.Difference(s, r, state) is { } early && b.Difference(s, r, state) is not null)
                throw NegativeErrors.AgreesWithNeither(s, stage.Trainer.Stage, early);
        }
    }

    private TraceSide Side(Recorded run, string name, MyStep mine)
    {
        string folder = run.Run.Folder;
        string? differs = run.Difference(step, mine.Report, mine.After);
        if (differs is null)
            return new TraceSide(folder, true, null, null, null, null);
        mine.Before.Restore();
        stage.Trainer.Step(step); // the values that the digests are of
        if (ChangedValue.In(stage.Trainer, run, step, mine.Report, mine.After) is { } changed)
            return new TraceSide(folder, false, differs, changed.Text, null, changed.Element);
        foreach (OpId op in Suspects(differs, mine.Operations))
        foreach (var how in WrongArithmetic.Of(op))
        foreach (bool only in new[] { true, false })
        {
            if (!only && stage.From == step)
                continue;
            say($"{name}: is it {op}, {WrongArithmetic.Explain(how)}?");
            var start = only ? mine.Before : mine.Begin;
            long first = only ? step : stage.From;
            if (!other.Gives(run, op, how, start, first))
                continue;
            var (place, element) = other.Parting(op, how, start, first, mine.Operations);
            string since = only ? "" : FormattableString.Invariant($", from step {stage.From} on");
            string explanation = $"{op}: {WrongArithmetic.Explain(how)}{since}";
            return new TraceSide(folder, false, differs, explanation, place, element);
        }
        return new TraceSide(folder, false, differs, null, FirstOperation(run, mine.Operations), null);
    }

    /// <summary>
    /// Those of the phase where the record parts come first: forward may be guilty of anything, but is the likeliest
    /// only of losses.
    /// </summary>
    private static IEnumerable<OpId> Suspects(string differs, List<Operation> operations)
    {
        string likely = differs switch
        {
            _ when differs.StartsWith("loss", StringComparison.Ordinal) => "forward",
            _ when differs.StartsWith("grad", StringComparison.Ordinal) => "backward",
            _ => "optimizer",
        };
        return operations.Select(o => o.Op).Distinct().OrderBy(o => o.Phase != likely);
    }

    /// <summary>The first operation that differs from what the run itself recorded with --trace-step.</summary>
    private string? FirstOperation(Recorded run, List<Operation> operations)
    {
        var theirs = run
            .Operations.Where(r => r.Step == step)
            .ToDictionary(r => r.Ordinal, r => Digest.From(r.Digest.ToArray()));
        return operations.FirstOrDefault(o => theirs.TryGetValue(o.Ordinal, out var d) && d != o.Digest)?.ToString();
    }

    /// <summary>The step as this machine computes it.</summary>
    /// <param name="Begin">The state that execution began with.</param>
    /// <param name="Before">The state before the step.</param>
    private sealed record MyStep(
        Snapshot Begin,
        Snapshot Before,
        StepReport Report,
        List<TensorDigest> After,
        List<Operation> Operations
    );
}
