using LutNative.Harness.Training;
using LutNative.Model.Networks;

namespace LutNative.Harness.Protocol;

/// <summary>Multiply-adds of the matrix products, counted twice as FLOPs; backward is twice forward. Norms, GELU and softmax are not counted.</summary>
public sealed class Cost
{
    private readonly ProtocolSpec p;
    private readonly Lut net;

    public Cost(ProtocolSpec p, Lut net)
    {
        (this.p, this.net) = (p, net);
        var (v, d) = (net.Mae.Shape, net.Mae.DecoderShape);
        int patches = v.Grid.Patches, kept = (int)(patches * (1 - p.Pretrain.MaskRatio));
        double full = Trunk(patches, v.Width, v.Depth, v.Hidden, v.Grid.PatchFloats), visible = Trunk(kept, v.Width, v.Depth, v.Hidden, v.Grid.PatchFloats);
        double decoder = (kept + 1.0) * v.Width * d.Width + Blocks(patches + 1, d.Width, d.Depth, (int)(d.Width * d.MlpRatio)) + (patches + 1.0) * d.Width * v.Grid.PatchFloats;
        bool context = net.Options.Context;
        double heads = context ? Head(p.Pretrain.DepthHead) : 0, predictors = context ? Head(p.Pretrain.DepthPred) : 0;
        PretrainFlops = 2 * (3 * (visible * (context ? 2 : 1) + decoder + 2 * (heads + predictors)) + (context ? 2 * (full + heads) : 0));
        EncodeFlops = 2 * full;
        FinetuneFlops = 2 * 3 * full;
    }

    public double PretrainFlops { get; }
    public double FinetuneFlops { get; }
    public double EncodeFlops { get; }

    /// <summary>States, packed weights, gradient leaves and activations of pre-training.</summary>
    public double Bytes(ExecOptions exec)
    {
        var (v, d) = (net.Mae.Shape, net.Mae.DecoderShape);
        int micro = exec.MicroOf(p.Pretrain.Grain), patches = v.Grid.Patches, kept = (int)(patches * (1 - p.Pretrain.MaskRatio));
        bool context = net.Options.Context, keep = context && !exec.Recompute;
        double state = net.Layout.Length * 4.0, leaves = exec.Threads + System.Numerics.BitOperations.Log2((uint)(p.Pretrain.Batch / p.Pretrain.Grain)) + 2;
        double block(int rows, int width, int hidden, int heads, int tokens) => 4.0 * rows * (9.0 * width + 3.0 * hidden + 4 + (double)heads * tokens);
        double grain = (context ? 2 : 1) * v.Depth * block(p.Pretrain.Grain * (kept + 1), v.Width, v.Hidden, v.Heads, kept + 1)
            + d.Depth * block(p.Pretrain.Grain * (patches + 1), d.Width, (int)(d.Width * d.MlpRatio), d.Heads, patches + 1)
            + 4.0 * p.Pretrain.Grain * ((context ? 2.0 : 1.0) * (v.Grid.ImageFloats + 2.0 * kept * v.Grid.PatchFloats) + 3.0 * (patches + 1) * v.Grid.PatchFloats);
        double slots = keep ? p.Pretrain.BnBatch / p.Pretrain.Grain : exec.Threads;
        double teacher = context ? exec.Threads * (2 * block(micro * (patches + 1), v.Width, v.Hidden, v.Heads, patches + 1) + 4.0 * micro * v.Grid.ImageFloats) : 0;
        return state * ((context ? 4 : 3) + 2 + (context ? 1 : 0) + leaves) + slots * grain + teacher + (p.Data.TrainImages + p.Data.TestImages) * (double)(p.Data.ImageSize * p.Data.ImageSize);
    }

    private static double Trunk(int patches, int width, int depth, int hidden, int patchFloats) => (double)patches * patchFloats * width + Blocks(patches + 1, width, depth, hidden);

    private static double Blocks(int tokens, int width, int depth, int hidden) => depth * ((double)tokens * (4.0 * width * width + 2.0 * width * hidden) + 2.0 * tokens * tokens * width);

    private double Head(int depth)
    {
        double d = p.Model.Width, h = p.Pretrain.HeadMlpDim;
        return depth switch { 0 => 0, 1 => d * d, _ => 2 * d * h + (depth - 2) * h * h };
    }
}
