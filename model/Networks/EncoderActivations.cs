using LutNative.Model.Layers;
using LutNative.Model.Tensors;

namespace LutNative.Model.Networks;

/// <summary>
/// Buffers of one pass of S sequences with K patches each through a trunk; without training the blocks share theirs.
/// Where K is every patch, they are in place from the beginning.
/// </summary>
public sealed class EncoderActivations
{
    public readonly int Sequences;
    public readonly int Kept;
    public readonly int[] Index; // S*K: which patch sits at each place; the first K in order until a mask is drawn
    public readonly Mat Images; // [S, C*H*W]
    public readonly Mat Columns; // [S*K, C*p*p]
    public readonly Mat Patches; // [S*K, D]
    public readonly Mat Embedded; // [S*(K+1), D]
    public readonly BlockActivations[] Blocks; // S sequences of K + 1 tokens, D
    public readonly Mat Spare; // [S*(K+1), D], drop path only

    public EncoderActivations(Arena arena, VitShape v, int sequences, int kept, bool training)
    {
        Sequences = sequences;
        Kept = kept;
        Index = new int[sequences * kept];
        for (int i = 0; i < Index.Length; i++)
            Index[i] = i % kept;
        int rows = sequences * (kept + 1);
        Images = arena.Matrix(sequences, v.Grid.ImageFloats);
        Columns = arena.Matrix(sequences * kept, v.Grid.PatchFloats);
        Patches = arena.Matrix(sequences * kept, v.Width);
        Embedded = arena.Matrix(rows, v.Width);
        Spare = arena.Matrix(rows, v.Width);
        Blocks = new BlockActivations[v.Depth];
        for (int i = 0; i < v.Depth; i++)
            Blocks[i] =
                training || i < 2
                    ? new BlockActivations(arena, sequences, kept + 1, v.Width, v.Heads, v.Hidden, training)
                    : Blocks[i - 2];
    }

    public Mat Output => Blocks.Length == 0 ? Embedded : Blocks[^1].Out;
}
