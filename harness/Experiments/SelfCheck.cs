using LutNative.Harness.Errors;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Training;
using LutNative.Model.Devices;

namespace LutNative.Harness.Experiments;

/// <summary>
/// Before a run claims determinism: the first steps of pre-training twice, the second time with another number of
/// threads, another micro-batch and the other memory setting (on a device outside of the contract, the very same way
/// twice). Every tensor's digest must be equal.
/// </summary>
public static class SelfCheck
{
    public const int Steps = 2;

    /// <summary>What was compared, for people.</summary>
    /// <exception cref="LutError">A tensor differs (exit 7).</exception>
    /// <param name="drill">A fault that is planted in the first of the two.</param>
    public static string Run(ProtocolSpec p, Views views, Device device, ExecOptions exec, DrillOptions drill)
    {
        int grain = p.Pretrain.Grain;
        var other = device.Level is not null
            ? exec
            : exec with
            {
                Threads = exec.Threads == 1 ? 2 : exec.Threads - 1,
                MicroBatch = exec.MicroBatch is 0 or > 1
                    ? Math.Max(1, Math.Min(grain, exec.MicroBatch == 0 ? grain : exec.MicroBatch) / 2)
                    : grain,
                Recompute = !exec.Recompute,
            };
        var a = Digests(p, views, device, exec, drill.Inject as BitFlip);
        var b = Digests(p, views, device, other, planted: null);
        for (int i = 0; i < a.Count; i++)
            if (a[i].Step != b[i].Step || a[i].Digest.Value != b[i].Digest.Value)
                throw NumericsErrors.NotRepeated(
                    a[i].Digest.Tensor,
                    a[i].Step,
                    a[i].Digest.Value.ToString(),
                    Of(exec),
                    b[i].Digest.Value.ToString(),
                    Of(other)
                );
        return FormattableString.Invariant(
            $"self-check passed: {Steps} steps, {a.Count} tensors, {Of(exec)} and {Of(other)}"
        );
    }

    private static string Of(ExecOptions e) =>
        FormattableString.Invariant(
            $"{e.Threads} thread(s), micro-batch {e.MicroBatch}, activations {(e.Recompute ? "recomputed" : "kept")}"
        );

    private static List<(long Step, TensorDigest Digest)> Digests(
        ProtocolSpec p,
        Views views,
        Device device,
        ExecOptions exec,
        BitFlip? planted
    )
    {
        using var pool = device.NewPool(exec.Threads);
        using var t = new PretrainTrainer(p, views, device, pool, exec with { DataWorkers = 0 });
        var all = new List<(long, TensorDigest)>();
        for (long s = 0; s < Math.Min(Steps, t.Steps); s++)
        {
            t.Step(s);
            if (planted is not null && planted.Stage == t.Stage && planted.Step == s)
                t.Plant(planted);
            all.AddRange(t.Digests(pool).Select(d => (s, d)));
        }
        return all;
    }
}
