using LutNative.Model.Layers;
using LutNative.Model.Tensors;

namespace LutNative.Model.Networks;

/// <summary>Buffers of the decoder for S sequences of P patches, and of the reconstruction loss.</summary>
public sealed class DecoderActivations
{
    public readonly Mat Normed; // [S*(K+1), D]: the encoder's output after its final norm
    public readonly Mat Stats; // [S*(K+1), 2]
    public readonly Mat Embedded; // [S*(K+1), Dd]
    public readonly Mat Tokens; // [S*(P+1), Dd]
    public readonly BlockActivations[] Blocks; // S sequences of P + 1 tokens, Dd
    public readonly Mat Final; // [S*(P+1), Dd]
    public readonly Mat FinalStats; // [S*(P+1), 2]
    public readonly Mat Pred; // [S*(P+1), C*p*p], row 0 of a sequence is the class token's
    public readonly Mat DPred; // [S*(P+1), C*p*p]
    public readonly Mat Target; // [S*P, p*p*C]
    public readonly int[] Restore; // S*P: place of each patch in shuffled order

    public DecoderActivations(Arena arena, VitShape v, DecoderShape d, int sequences, int kept)
    {
        int rows = sequences * (v.Grid.Patches + 1);
        Normed = arena.Matrix(sequences * (kept + 1), v.Width);
        Stats = arena.Matrix(sequences * (kept + 1), 2);
        Embedded = arena.Matrix(sequences * (kept + 1), d.Width);
        Tokens = arena.Matrix(rows, d.Width);
        Blocks = new BlockActivations[d.Depth];
        for (int i = 0; i < d.Depth; i++)
            Blocks[i] = new BlockActivations(
                arena,
                sequences,
                v.Grid.Patches + 1,
                d.Width,
                d.Heads,
                d.Hidden,
                training: true
            );
        Final = arena.Matrix(rows, d.Width);
        FinalStats = arena.Matrix(rows, 2);
        Pred = arena.Matrix(rows, v.Grid.PatchFloats);
        DPred = arena.Matrix(rows, v.Grid.PatchFloats);
        Target = arena.Matrix(sequences * v.Grid.Patches, v.Grid.PatchFloats);
        Restore = new int[sequences * v.Grid.Patches];
    }
}
