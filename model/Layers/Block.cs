using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Layers;

/// <summary>What a block's forward pass keeps for its backward pass, for S sequences of N tokens. R = S*N.</summary>
public sealed class BlockActivations(
    Arena arena,
    int sequences,
    int tokens,
    int width,
    int heads,
    int hidden,
    bool training
)
{
    public readonly int Tokens = tokens;
    public readonly Mat Norm1 = arena.Matrix(sequences * tokens, width); // [R, D]
    public readonly Mat Stats1 = arena.Matrix(sequences * tokens, 2);
    public readonly Mat Qkv = arena.Matrix(sequences * tokens, 3 * width); // [R, 3*D] as (3, H, E)
    public readonly Mat Prob = training
        ? arena.Matrix(sequences * heads * tokens, Attention.Kept(arena.Memory, tokens))
        : default; // [S*H*N, N] where scores are kept
    public readonly Mat Att = arena.Matrix(sequences * tokens, width); // [R, D]
    public readonly Mat Mid = arena.Matrix(sequences * tokens, width); // [R, D] after the first residual
    public readonly Mat Norm2 = arena.Matrix(sequences * tokens, width); // [R, D]
    public readonly Mat Stats2 = arena.Matrix(sequences * tokens, 2);
    public readonly Mat Pre = training ? arena.Matrix(sequences * tokens, hidden) : default; // [R, M] before GELU
    public readonly Mat Erf = training ? arena.Matrix(sequences * tokens, hidden) : default; // [R, M]
    public readonly Mat Act = arena.Matrix(sequences * tokens, hidden); // [R, M]
    public readonly Mat Out = arena.Matrix(sequences * tokens, width); // [R, D], the next block's input
}

/// <summary>Gradients in flight through a stack of blocks; every block reuses them.</summary>
public sealed class BlockGradients(Arena arena, int rows, int width, int hidden)
{
    public readonly Mat Hidden = arena.Matrix(rows, hidden); // [R, M]
    public readonly Mat Qkv = arena.Matrix(rows, 3 * width); // [R, 3*D]
    public readonly Mat Att = arena.Matrix(rows, width); // [R, D]
    public readonly Mat Norm = arena.Matrix(rows, width); // [R, D]
    public readonly Mat Mid = arena.Matrix(rows, width); // [R, D]
    public readonly Mat Branch = arena.Matrix(rows, width); // [R, D], drop path only
}

/// <summary>
/// A pre-norm transformer block: x + Attention(norm1(x)), then x + Mlp(norm2(x)).
/// Source: timm 0.4.12 vision_transformer.py, classes Attention, Mlp, Block (qkv_bias, exact GELU, no dropout).
/// </summary>
public sealed class Block
{
    private readonly Norm norm1;
    private readonly Norm norm2;
    private readonly Linear qkv;
    private readonly Linear proj;
    private readonly Linear fc1;
    private readonly Linear fc2;
    private readonly int heads;
    private readonly float scale;

    public Block(StateLayout layout, string name, int width, int heads, int hidden, float eps, float dropPath = 0f)
    {
        this.heads = heads;
        scale = (float)(1.0 / Math.Sqrt(width / heads)); // the attention scale E^-0.5, rounded once
        Keep = 1f - dropPath;
        norm1 = new Norm(layout, name + ".norm1", width, eps);
        qkv = new Linear(layout, name + ".attn.qkv", 3 * width, width);
        proj = new Linear(layout, name + ".attn.proj", width, width);
        norm2 = new Norm(layout, name + ".norm2", width, eps);
        fc1 = new Linear(layout, name + ".mlp.fc1", hidden, width);
        fc2 = new Linear(layout, name + ".mlp.fc2", width, hidden);
    }

    /// <summary>Probability of keeping a sample's branch; 1 when drop path is off.</summary>
    public float Keep { get; }

    /// <summary>
    /// a.Out = block(x), x [R, D]. keptAttn and keptMlp: one flag a sequence, empty when drop path is off or not
    /// training; spare [R, D] is then unused.
    /// </summary>
    public void Forward(
        in Pass p,
        BlockActivations a,
        Mat x,
        Mat spare = default,
        ReadOnlySpan<bool> keptAttn = default,
        ReadOnlySpan<bool> keptMlp = default
    )
    {
        norm1.Forward(p, a.Norm1, a.Stats1, x);
        qkv.Forward(p, a.Qkv, a.Norm1);
        Attention.Forward(p.Device, a.Att, a.Prob, a.Qkv, a.Tokens, heads, scale);
        Residual(p, proj, a.Mid, a.Att, x, spare, keptAttn);
        norm2.Forward(p, a.Norm2, a.Stats2, a.Mid);
        fc1.ForwardGelu(p, a.Act, a.Pre, a.Erf, a.Norm2);
        Residual(p, fc2, a.Out, a.Act, a.Mid, spare, keptMlp);
    }

    private void Residual(in Pass p, Linear linear, Mat y, Mat x, Mat residual, Mat spare, ReadOnlySpan<bool> kept)
    {
        if (kept.IsEmpty)
        {
            linear.ForwardResidual(p, y, x, residual);
            return;
        }
        linear.Forward(p, spare, x);
        Elementwise.DropPath(p.Device, y, residual, spare, kept, Keep);
    }

    /// <summary>dx [R, D] from dOut [R, D] (may be the same memory); parameter gradients continue.</summary>
    public void Backward(
        in Pass p,
        BlockGradients g,
        Mat dx,
        Mat dOut,
        BlockActivations a,
        Mat x,
        ReadOnlySpan<bool> keptAttn = default,
        ReadOnlySpan<bool> keptMlp = default
    )
    {
        // Residual(fc2)
        Mat dBranch = Branch(p, g, dOut, keptMlp);
        fc2.BackwardParameters(p, dBranch, a.Act);
        fc2.BackwardInput(p, g.Hidden, dBranch, Epilogue.GeluBackward(a.Pre, a.Erf));
        // fc1.ForwardGelu
        fc1.BackwardParameters(p, g.Hidden, a.Norm2);
        fc1.BackwardInput(p, g.Norm, g.Hidden);
        // norm2.Forward, and the residual around it
        norm2.Backward(p, g.Mid, g.Norm, a.Mid, a.Stats2, dOut);
        // Residual(proj)
        dBranch = Branch(p, g, g.Mid, keptAttn);
        proj.BackwardParameters(p, dBranch, a.Att);
        proj.BackwardInput(p, g.Att, dBranch);
        // Attention.Forward
        Attention.Backward(p.Device, g.Qkv, g.Att, a.Prob, a.Qkv, a.Tokens, heads, scale);
        // qkv.Forward
        qkv.BackwardParameters(p, g.Qkv, a.Norm1);
        qkv.BackwardInput(p, g.Norm, g.Qkv);
        // norm1.Forward, and the residual around it
        norm1.Backward(p, dx, g.Norm, x, a.Stats1, g.Mid);
    }

    private Mat Branch(in Pass p, BlockGradients g, Mat dy, ReadOnlySpan<bool> kept)
    {
        if (kept.IsEmpty)
            return dy;
        Elementwise.DropPathBackward(p.Device, g.Branch, dy, kept, Keep);
        return g.Branch;
    }
}
