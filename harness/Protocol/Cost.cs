using LutNative.Model.Networks;

namespace LutNative.Harness.Protocol;

/// <summary>
/// Multiply-adds of the matrix products, counted twice as FLOPs; backward is twice forward. Norms, GELU and softmax are
/// not counted.
/// </summary>
public sealed class Cost
{
    private readonly ProtocolSpec p;

    public Cost(ProtocolSpec p, Lut net)
    {
        this.p = p;
        var (v, d) = (net.Mae.Shape, net.Mae.DecoderShape);
        int patches = v.Grid.Patches;
        int kept = new MaskPlan(patches, p.Pretrain.MaskRatio).Kept;
        double full = Trunk(patches, v.Width, v.Depth, v.Hidden, v.Grid.PatchFloats);
        double visible = Trunk(kept, v.Width, v.Depth, v.Hidden, v.Grid.PatchFloats);
        double decoder =
            (kept + 1.0) * v.Width * d.Width
            + Blocks(patches + 1, d.Width, d.Depth, (int)(d.Width * d.MlpRatio))
            + (patches + 1.0) * d.Width * v.Grid.PatchFloats;
        bool context = net.Options.Context;
        double heads = context ? Head(p.Pretrain.DepthHead) : 0;
        double predictors = context ? Head(p.Pretrain.DepthPred) : 0;
        StudentView = visible;
        TeacherView = context ? full : 0;
        Decoder = decoder;
        Heads = heads + predictors;
        PretrainFlops =
            2
            * (
                3 * (visible * (context ? 2 : 1) + decoder + 2 * (heads + predictors))
                + (context ? 2 * (full + heads) : 0)
            );
        EncodeFlops = 2 * full;
        FinetuneFlops = 2 * 3 * full;
    }

    /// <summary>
    /// Multiply-adds of one forward pass for one image: the student on a view's visible patches, the teacher on all of
    /// one, the decoder, projector and predictor for one view.
    /// </summary>
    public double StudentView { get; }
    public double TeacherView { get; }
    public double Decoder { get; }
    public double Heads { get; }

    public double PretrainFlops { get; }
    public double FinetuneFlops { get; }
    public double EncodeFlops { get; }

    private static double Trunk(int patches, int width, int depth, int hidden, int patchFloats) =>
        (double)patches * patchFloats * width + Blocks(patches + 1, width, depth, hidden);

    private static double Blocks(int tokens, int width, int depth, int hidden) =>
        depth * ((double)tokens * (4.0 * width * width + 2.0 * width * hidden) + 2.0 * tokens * tokens * width);

    private double Head(int depth)
    {
        double d = p.Model.Width;
        double h = p.Pretrain.HeadMlpDim;
        return depth switch
        {
            0 => 0,
            1 => d * d,
            _ => 2 * d * h + (depth - 2) * h * h,
        };
    }
}
