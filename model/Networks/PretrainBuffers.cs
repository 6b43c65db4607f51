using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Model.Networks;

// Letters of the shapes below and in the phases: B samples of a BN batch, S samples of one pass (a micro-batch of every
// grain of a group), P patches of an image, K of them visible in view u and K' in view v, N tokens of a sequence, D the
// trunk's width, Dd the decoder's, M an MLP's hidden width, C*p*p floats of a patch. A tensor of tokens has N = K + 1
// or P + 1 rows a sample, the class token's first.

/// <summary>
/// Every buffer of a pre-training step, made once: what forward keeps for backward, what a worker passes through, and
/// what the losses over a BN batch need.
/// </summary>
internal sealed class PretrainBuffers
{
    /// <summary>
    /// [place][micro-batch of a grain]. A place is a group of the BN batch, or a worker where activations do not wait
    /// for the context phase: plain MAE, and when they are recomputed.
    /// </summary>
    public readonly MicroBatch[][] Kept;

    public readonly WorkerBuffers[] Workers;

    /// <summary>Heads and context loss of a BN batch; null for MAE.</summary>
    public readonly ContextBuffers? Context;

    public readonly Mat PatchLoss; // [B, P] mean squared error of each patch
    public readonly float[] PatchLossRead; // B*P, on the host
    public readonly bool[] Masked; // B*P: whether a patch was hidden

    public PretrainBuffers(Lut net, Device device, Arena arena, BatchPlan plan, MaskPlan mask, int workers, int places)
    {
        Kept = new MicroBatch[places][];
        for (int i = 0; i < places; i++)
        {
            Kept[i] = new MicroBatch[plan.MicrosPerGrain];
            for (int m = 0; m < plan.MicrosPerGrain; m++)
                Kept[i][m] = new MicroBatch(net, arena, plan.Samples, mask);
        }
        Workers = new WorkerBuffers[workers];
        for (int w = 0; w < workers; w++)
            Workers[w] = new WorkerBuffers(net, device, arena, plan.Samples, mask);
        int patches = net.Mae.Shape.Grid.Patches;
        PatchLoss = arena.Matrix(plan.BnBatch, patches);
        PatchLossRead = new float[plan.BnBatch * patches];
        Masked = new bool[plan.BnBatch * patches];
        if (net.Options.Context)
            Context = new ContextBuffers(net, arena, plan.BnBatch, plan.Grain);
    }
}

/// <summary>What the forward pass of S samples keeps for its backward pass.</summary>
internal sealed class MicroBatch
{
    public readonly EncoderActivations FirstView; // view u: S sequences of K patches
    public readonly DecoderActivations Decoder; // of view u: S sequences of P patches; has view u's normed tokens
    public readonly SecondView? SecondView; // null for MAE

    public MicroBatch(Lut net, Arena arena, int samples, MaskPlan mask)
    {
        var shape = net.Mae.Shape;
        FirstView = new EncoderActivations(arena, shape, samples, mask.Kept, training: true);
        if (net.Options.Context)
            SecondView = new SecondView(arena, shape, samples, mask.KeptOther);
        Decoder = new DecoderActivations(arena, shape, net.Mae.DecoderShape, samples, mask.Kept);
    }
}

/// <summary>View v of S samples through the student's trunk; it has no decoder.</summary>
internal sealed class SecondView(Arena arena, VitShape shape, int samples, int kept)
{
    public readonly EncoderActivations Encoder = new(arena, shape, samples, kept, training: true); // K' patches
    public readonly Mat Normed = arena.Matrix(samples * (kept + 1), shape.Width); // [S*(K'+1), D]
    public readonly Mat Stats = arena.Matrix(samples * (kept + 1), 2); // [S*(K'+1), 2]
}
