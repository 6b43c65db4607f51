using LutNative.Harness.Errors;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Recording;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Model.Diagnosis;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Threads;
using LutNative.Results;

namespace LutNative.Harness.Diagnosis;

/// <summary>What was found about one of the two runs.</summary>
/// <param name="Agrees">This machine repeats what the run recorded of the step.</param>
/// <param name="Differs">What differs first between its record and this machine, when it does.</param>
/// <param name="Explanation">
/// In words, what makes this machine give the run's very bits; null when nothing that was tried does.
/// </param>
/// <param name="At">
/// The operation where the two part, or null: a changed value in memory has none, and without an explanation only a run
/// with --trace-step knows it.
/// </param>
/// <param name="Element">The first differing element of it: here, and there.</param>
public sealed record TraceSide(
    string Run,
    bool Agrees,
    string? Differs,
    string? Explanation,
    string? At,
    ElementPair? Element
);

/// <param name="From">The step that execution began with: a checkpoint that both share, or 0.</param>
public sealed record TraceReport(
    string Stage,
    long Step,
    long From,
    string Source,
    TraceSide A,
    TraceSide B,
    IReadOnlyList<Operation> Operations
);

/// <summary>
/// Finds out which of two runs is wrong where they part first, and why. Both recorded digests alone; this machine runs
/// the steps again from the last checkpoint that they share, watches every operation of the differing one, and then
/// tries what could have given the other's bits: a value changed in memory after the step (digests are sums, so their
/// difference names element and bit), and the usual other ways of computing (order of sums, split sums, no fused
/// multiply-add, TF32, flush to zero), operation by operation.
/// </summary>
public sealed class Trace : IDisposable
{
    private readonly string stage;
    private readonly long step;
    private readonly Recorded a;
    private readonly Recorded b;
    private readonly ProtocolSpec protocol;
    private readonly InstrumentedDevice device;
    private readonly Pool pool = new(1); // one thread: the order of operations is then the same everywhere
    private readonly Action<string> say;
    private readonly List<IDisposable> owned = [];
    private readonly Trainer trainer;
    private readonly long from;
    private readonly string source;
    private readonly OuterWeightsFile? weights;

    private Trace(
        RunStore runA,
        RunStore runB,
        FirstStep at,
        Device on,
        string? dataFolder,
        Action<string> say,
        OuterWeightsFile? weights
    )
    {
        stage = at.Stage;
        step = at.Step;
        this.say = say;
        this.weights = weights;
        a = new Recorded(runA, stage);
        b = new Recorded(runB, stage);
        var resolved = ProtocolReader.Load(Path.Combine(runA.Folder, "config.resolved.toml"), []);
        protocol = resolved.Spec;
        if (
            runA.Read(Schema.Run) is { Rows.Count: > 0 } row
            && row.Get<string>(0, "contract") is var contract
            && contract != protocol.Contract
        )
            throw new LutError(
                Exit.Inconclusive,
                2,
                "these runs do not keep the contract",
                $"contract {contract}",
                "their bits belong to one GPU model and its libraries, and no other machine can say which is right",
                "trace runs of --math exact"
            );
        device = new InstrumentedDevice(on);
        var (train, _) = DataSets.Load(protocol.Data, dataFolder, say);
        trainer = TrainerOf(new Views(protocol, train));
        from = 0;
        source = "the seed";
        RunStore? sourceRun = null;
        // a checkpoint is shared when no later than the last state that both recorded, and found equal
        long shared = a.LastState(b, step) + 1;
        foreach (var run in new[] { runA, runB })
        {
            var store = CheckpointStore.Of(run);
            if (store.StepsOf(stage).Where(s => s <= shared && s > from).DefaultIfEmpty(0).Max() is var best and > 0)
                (from, source, sourceRun) = (best, store.PathOf(stage, best), run);
        }
        if (from > 0)
            CheckpointStore.Of(sourceRun!).Load(source, trainer);
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
        using var trace = new Trace(a, b, at, on, dataFolder, say, weights);
        return trace.Run();
    }

    private Trainer TrainerOf(Views views)
    {
        var exec = new ExecOptions(1, 0, 0, TimeSpan.MaxValue);
        if (stage == "linprobe")
            throw new LutError(
                Exit.Usage,
                34,
                "MAE's linear probe cannot be traced",
                "stage linprobe",
                "it trains on features; where those are equal, only its own few operations remain",
                "compare the two runs' checkpoints with `lut compare`"
            );
        if (stage == "pretrain")
            return Own(new PretrainTrainer(protocol, views, device, pool, exec));
        if (stage == "scratch")
            return Own(new FinetuneTrainer(protocol, views, device, pool, exec, null));
        var pretrained = Own(new PretrainTrainer(protocol, views, device, pool, exec));
        BeginFinetuning(pretrained);
        return Own(new FinetuneTrainer(protocol, views, device, pool, exec, pretrained.Student));
    }

    /// <summary>
    /// The weights that fine-tuning began with: a file from outside, or what pre-training ended with in one of the two
    /// runs.
    /// </summary>
    private void BeginFinetuning(PretrainTrainer pretrained)
    {
        if (weights is { } outer)
        {
            OuterWeights.Load(outer.Path, outer.Which, pretrained.Student, OuterWeights.UseOf(["finetune"], protocol));
            string loaded = WeightsHash.Of(pretrained.Student, encoderOnly: true);
            if (RunFacts.Of(a.Run)[RunFacts.Weights] is { } recorded && recorded != loaded)
                throw new LutError(
                    Exit.Inconclusive,
                    401,
                    "these are not the weights that the runs began with",
                    outer.Path,
                    $"the runs recorded {recorded}, the file's weights have {loaded}",
                    "name the file that the runs were given"
                );
            return;
        }
        var store = new[] { a.Run, b.Run }
            .Select(CheckpointStore.Of)
            .FirstOrDefault(s => File.Exists(s.PathOf("pretrain", pretrained.Steps)));
        if (store is not null)
            store.Load(store.PathOf("pretrain", pretrained.Steps), pretrained);
        else if (OuterWeightsFile.Of(a.Run) is { } used)
            throw new LutError(
                Exit.Usage,
                465,
                "the runs began with weights from outside",
                a.Run.Folder,
                $"they were given {used.Path}, and a run's folder does not hold a copy",
                $"name the same file: lut trace A B {used.Options}"
            );
        else
            throw new LutError(
                Exit.Data,
                27,
                "the pre-trained weights are gone",
                Path.Combine(a.Run.Folder, "checkpoints"),
                "fine-tuning begins with the last checkpoint of pre-training",
                "restore it, or trace a run that still has it"
            );
    }

    private T Own<T>(T trainer)
        where T : Trainer
    {
        owned.Add(trainer);
        return trainer;
    }

    private TraceReport Run()
    {
        say(FormattableString.Invariant($"running {stage} from step {from} ({source}) to step {step}"));
        var begin = new Snapshot(trainer);
        for (long s = from; s < step; s++)
        {
            var (r, state) = Step(s);
            if (a.Difference(s, r, state) is { } early && b.Difference(s, r, state) is not null)
                throw new LutError(
                    Exit.Negative,
                    1,
                    $"this machine agrees with neither run at step {s}, where they agree with each other",
                    $"stage {stage}",
                    early,
                    "trace on another machine; check this one with `lut doctor` and `run --self-check`"
                );
        }
        var before = from == step ? begin : new Snapshot(trainer);
        var operations = new List<Operation>();
        var report = StepTrace.Record(trainer, device, step, operations.Add);
        var after = trainer.Digests(pool);
        return new TraceReport(stage, step, from, source, Side(a, "A"), Side(b, "B"), operations);

        TraceSide Side(Recorded run, string name)
        {
            string? differs = run.Difference(step, report, after);
            if (differs is null)
                return new TraceSide(run.Run.Folder, true, null, null, null, null);
            before.Restore();
            trainer.Step(step); // the values that the digests are of
            if (Changed(run, report, after) is { } changed)
                return new TraceSide(run.Run.Folder, false, differs, changed.Text, null, changed.Element);
            // the phase where the record parts first; forward may be guilty of anything, but is the likeliest only of
            // losses
            string likely =
                differs.StartsWith("loss", StringComparison.Ordinal) ? "forward"
                : differs.StartsWith("grad", StringComparison.Ordinal) ? "backward"
                : "optimizer";
            foreach (var op in operations.Select(o => o.Op).Distinct().OrderBy(o => o.Phase != likely))
            foreach (var how in WrongArithmetic.Of(op))
            foreach (bool only in new[] { true, false })
            {
                if (!only && from == step)
                    continue;
                say($"{name}: is it {op}, {WrongArithmetic.Explain(how)}?");
                if (!Gives(run, op, how, only ? before : begin, only ? step : from))
                    continue;
                var (place, element) = Parting(op, how, only ? before : begin, only ? step : from, operations);
                return new TraceSide(
                    run.Run.Folder,
                    false,
                    differs,
                    $"{op}: {WrongArithmetic.Explain(how)}{(only ? "" : FormattableString.Invariant($", from step {from} on"))}",
                    place,
                    element
                );
            }
            return new TraceSide(run.Run.Folder, false, differs, null, FirstOperation(run, operations), null);
        }
    }

    private (StepReport Report, List<TensorDigest> State) Step(long s) => (trainer.Step(s), trainer.Digests(pool));

    /// <summary>Everything but single tensors is equal, and one changed element explains each of them.</summary>
    private (string Text, ElementPair? Element)? Changed(Recorded run, StepReport r, List<TensorDigest> state)
    {
        var tensors = run.Tensors(step, state);
        if (tensors.Count is 0 or > 4 || run.Difference(step, r, state) != tensors[0])
            return null;
        var found = new List<ElementPair>();
        foreach (string tensor in tensors)
        {
            var difference = run.DigestsOf(step)![tensor] - state.First(t => t.Tensor == tensor).Value;
            if (ChangedElement(tensor, difference) is not { } pair)
                return null;
            found.Add(pair);
        }
        string Kind(ElementPair p) =>
            System.Numerics.BitOperations.PopCount(p.A ^ p.B) == 1
                ? FormattableString.Invariant(
                    $"bit {System.Numerics.BitOperations.Log2(p.A ^ p.B)} of {p.Tensor}[{p.Element}] was flipped"
                )
                : $"{p.Tensor}[{p.Element}] was replaced";
        return ($"{string.Join("; ", found.Select(Kind))}, in memory after the step: every operation agrees", found[0]);
    }

    private ElementPair? ChangedElement(string tensor, Digest difference)
    {
        int slash = tensor.IndexOf('/', StringComparison.Ordinal);
        var state = trainer.States.First(s => s.Name == tensor[..slash]).State;
        if (state.Layout.Find(tensor[(slash + 1)..]) is not { } e)
            return null;
        float[] values = new float[e.Count];
        state.Read(e, values);
        for (long i = 0; i < values.Length; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(values[i]);
            var own = Digest.OfElement(i, bits);
            for (int k = 0; k < 36; k++)
            {
                uint other = k switch
                {
                    < 32 => bits ^ 1u << k,
                    32 => 0u,
                    33 => 0x80000000,
                    34 => 0x7fc00000,
                    _ => 0x7f800000,
                };
                if (Digest.OfElement(i, other) - own == difference)
                    return new ElementPair(
                        tensor,
                        i,
                        bits,
                        other,
                        Divergence.UlpDistance(values[i], BitConverter.UInt32BitsToSingle(other)),
                        1,
                        e.Count
                    );
            }
        }
        return null;
    }

    /// <summary>
    /// Whether this machine gives the run's record when it computes an operation in another way, from a step on.
    /// </summary>
    private bool Gives(Recorded run, OpId op, Variant how, Snapshot start, long first)
    {
        start.Restore();
        device.Fault = (op, how);
        try
        {
            for (long s = first; s <= step; s++)
            {
                var (r, state) = Step(s);
                if (run.Difference(s, r, state) is not null)
                    return false;
            }
            return true;
        }
        catch (LutError)
        {
            return false; // not finite: that is not what the run recorded
        }
        finally
        {
            device.Fault = null;
        }
    }

    /// <summary>The first operation whose result the explanation changes, and the first element of it.</summary>
    private (string Place, ElementPair? Element) Parting(
        OpId op,
        Variant how,
        Snapshot start,
        long first,
        List<Operation> clean
    )
    {
        (Operation Mine, float[] Theirs)? parting = null;
        start.Restore();
        device.Fault = (op, how);
        for (long s = first; s < step; s++)
            trainer.Step(s);
        int at = 0;
        StepTrace.Record(
            trainer,
            device,
            step,
            _ => { },
            (o, value) =>
            {
                if (parting is null && at < clean.Count && clean[at].Digest != o.Digest)
                    parting = (clean[at], value.Span.ToArray());
                at++;
            }
        );
        device.Fault = null;
        if (parting is not { } p)
            return ("no single operation of the step: the state before it differs", null);
        ElementPair? pair = null;
        start.Restore();
        for (long s = first; s < step; s++)
            trainer.Step(s);
        StepTrace.Record(
            trainer,
            device,
            step,
            _ => { },
            (o, value) =>
            {
                if (o.Ordinal == p.Mine.Ordinal)
                    pair = ElementPair.First($"{o.Output} of {o.Op} at {o.Tensor}", value.Span, p.Theirs);
            }
        );
        return (p.Mine + "; its inputs are equal", pair);
    }

    /// <summary>The first operation that differs from what the run itself recorded with --trace-step.</summary>
    private string? FirstOperation(Recorded run, List<Operation> operations)
    {
        int ordinal = Schema.Operations.IndexOf("ordinal");
        int digest = Schema.Operations.IndexOf("digest");
        int at = Schema.Operations.IndexOf("step");
        var theirs = run
            .Operations.Where(r => (long)r[at]! == step)
            .ToDictionary(r => (int)r[ordinal]!, r => Digest.From((byte[])r[digest]!));
        return operations.FirstOrDefault(o => theirs.TryGetValue(o.Ordinal, out var d) && d != o.Digest)?.ToString();
    }

    public void Dispose()
    {
        foreach (var t in owned)
            t.Dispose();
        pool.Dispose();
    }
}
