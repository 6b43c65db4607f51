using LutNative.Model.Layers;
using LutNative.Model.Tensors;

namespace LutNative.Model.Networks;

/// <summary>What heads and context loss need of a BN batch of B samples.</summary>
internal sealed class ContextBuffers(Lut net, Arena arena, int batch, int grain)
{
    public readonly ViewHeads U = new(net, arena, batch, grain);
    public readonly ViewHeads V = new(net, arena, batch, grain);
    public readonly Mat Loss = arena.Matrix(batch, 1); // [B, 1], one direction's terms
    public readonly float[] LossRead = new float[batch]; // B, on the host
}

/// <summary>One view on its way through the heads, for B samples of D channels.</summary>
internal sealed class ViewHeads
{
    public readonly Mat Pooled; // [B, D] mean of the student's visible patch tokens
    public readonly HeadActivations Projector;
    public readonly HeadActivations Predictor; // its output is q, [B, D]
    public readonly Mat TeacherPooled; // [B, D] mean of the teacher's patch tokens
    public readonly HeadActivations TeacherProjector; // its output is the target t, [B, D]
    public readonly Mat DPooled; // [B, D] from q's gradient down to Pooled's, overwritten on the way

    public ViewHeads(Lut net, Arena arena, int batch, int grain)
    {
        int width = net.Mae.Shape.Width;
        Pooled = arena.Matrix(batch, width);
        Projector = new HeadActivations(arena, net.Projector!, batch, grain);
        Predictor = new HeadActivations(arena, net.Predictor!, batch, grain);
        TeacherPooled = arena.Matrix(batch, width);
        TeacherProjector = new HeadActivations(arena, net.Projector!, batch, grain);
        DPooled = arena.Matrix(batch, width);
    }
}
