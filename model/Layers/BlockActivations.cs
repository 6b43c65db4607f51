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
