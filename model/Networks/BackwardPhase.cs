using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Ops;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Networks;

/// <summary>
/// Phase 3 of a pre-training step, a group of grains at a time: one leaf of the gradient tree. A leaf's chains run over
/// view u's samples, then view v's; a line undoes the line of <see cref="ForwardPhase"/> or <see cref="ContextPhase"/>
/// that stands above it as a comment.
/// </summary>
internal sealed class BackwardPhase(PretrainParts parts, GradientTree tree, LeafGroup leaves)
{
    private readonly Lut net = parts.Net;
    private readonly Device device = parts.Device;
    private readonly BatchPlan plan = parts.Plan;
    private readonly ContextBuffers? context = parts.Buffers.Context;

    /// <summary>Group g of the BN batch, from what its forward pass kept.</summary>
    internal void Run(int bnBatch, int g, MicroBatch[] kept, int worker)
    {
        WorkerBuffers w = parts.Buffers.Workers[worker];
        long time = PhaseClock.Now;
        Gradient leaf = tree.Rent();
        Gradient gradients = leaves.Begin(leaf);
        // view u comes first and reaches every weight: its contribution overwrites
        Pass first = new(device, parts.Student, gradients, first: true);
        Pass next = new(device, parts.Student, gradients, first: false);
        if (context is not null)
        {
            HeadGradients(first, context.U, g);
            HeadGradients(next, context.V, g);
        }
        for (int m = 0; m < kept.Length; m++)
            FirstView(m == 0 ? first : next, w, kept[m], SamplesOf(g, m));
        for (int m = 0; m < kept.Length; m++)
            if (kept[m].SecondView is { } second)
                SecondView(next, w.Context!, second, SamplesOf(g, m));
        time = parts.Pool.Clock.Add(Phase.Backward, worker, time);
        leaves.Fold(leaf);
        tree.Add(bnBatch * plan.Groups + g, leaf);
        parts.Pool.Clock.Add(Phase.Reduce, worker, time);
    }

    /// <summary>First row of micro-batch m of group g in the BN batch.</summary>
    private int SamplesOf(int g, int m) => g * plan.GroupSamples + m * plan.Samples;

    /// <summary>
    /// A view's heads went back over the whole BN batch; here are its parameters' shares of this group.
    /// </summary>
    private void HeadGradients(in Pass p, ViewHeads view, int g)
    {
        // predictor.Forward
        net.Predictor!.LeafGradients(p, view.Predictor, g, plan.Grain);
        // projector.Forward
        net.Projector!.LeafGradients(p, view.Projector, g, plan.Grain);
    }

    private void FirstView(in Pass p, WorkerBuffers w, MicroBatch micro, int first)
    {
        // ReconstructionLoss made d.DPred; mae.Decode
        net.Mae.DecodeBackward(p, w.Decoder, w.DNormed, w.DTokens, micro.Decoder, parts.Mask.Kept);
        if (w.Context is { } second)
        {
            // PoolViews
            Pooling.Backward(device, second.DPooled, context!.U.DPooled.Slice(first, plan.Samples));
            Elementwise.Add(device, w.DNormed, w.DNormed, second.DPooled);
        }
        // mae.Encode
        net.Mae.EncodeBackward(p, w.Encoder, w.DNormed, micro.Decoder.Stats, micro.FirstView);
    }

    private void SecondView(in Pass p, ContextWorkerBuffers w, SecondView second, int first)
    {
        // PoolViews
        Pooling.Backward(device, w.DNormed, context!.V.DPooled.Slice(first, plan.Samples));
        // EncodeSecondView
        net.Mae.EncodeBackward(p, w.Encoder, w.DNormed, second.Stats, second.Encoder);
    }
}
