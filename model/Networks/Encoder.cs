using LutNative.Model.Layers;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Networks;

/// <summary>
/// The ViT trunk: patch embedding, class token, position embeddings, pre-norm blocks; the final norm belongs to the
/// network around it.
/// Source: timm 0.4.12 VisionTransformer; LUT models_lut.py:43-53, 212-244 for the masked pass.
/// </summary>
public sealed class Encoder
{
    private readonly Linear patchEmbed;
    private readonly Block[] blocks;
    private readonly bool trainPositions;

    /// <param name="ownTokens">
    /// Registers further direct parameters (mask token) at the place they have in the authors' state dict.
    /// </param>
    public Encoder(
        StateLayout layout,
        VitShape shape,
        bool trainPositions,
        float dropPath = 0f,
        Action? ownTokens = null
    )
    {
        Shape = shape;
        this.trainPositions = trainPositions;
        ClsToken = layout.Add("cls_token", [1, 1, shape.Width]);
        PosEmbed = layout.Add(
            "pos_embed",
            [1, shape.Grid.Patches + 1, shape.Width],
            trainPositions ? EntryKind.Parameter : EntryKind.Fixed
        );
        ownTokens?.Invoke();
        patchEmbed = new Linear(
            layout,
            "patch_embed.proj",
            shape.Width,
            [shape.Grid.Channels, shape.Grid.Patch, shape.Grid.Patch]
        );
        blocks = new Block[shape.Depth];
        for (int i = 0; i < shape.Depth; i++) // timm: drop path grows linearly from 0 to its value over the blocks
            blocks[i] = new Block(
                layout,
                $"blocks.{i}",
                shape.Width,
                shape.Heads,
                shape.Hidden,
                shape.NormEps,
                shape.Depth == 1 ? 0f : (float)((double)dropPath * i / (shape.Depth - 1))
            );
    }

    public VitShape Shape { get; }
    public Entry ClsToken { get; }
    public Entry PosEmbed { get; }
    public int Depth => blocks.Length;

    /// <summary>Chance of keeping block i's branches.</summary>
    public float Keep(int i) => blocks[i].Keep;

    /// <summary>
    /// From a.Images and a.Index to a.Output [S*(K+1), D]. kept: drop-path flags [block][attn, mlp][sequence], or null.
    /// </summary>
    public void Forward(in Pass p, EncoderActivations a, bool[][][]? kept = null)
    {
        Patchify.Embed(p.Device, a.Columns, a.Images, a.Index, Shape.Grid);
        patchEmbed.Forward(p, a.Patches, a.Columns);
        Tokens.Embed(p.Device, a.Embedded, a.Patches, p.Value(ClsToken), p.Value(PosEmbed), a.Index);
        Mat x = a.Embedded;
        for (int i = 0; i < blocks.Length; i++)
        {
            blocks[i].Forward(p, a.Blocks[i], x, a.Spare, Flags(kept, i, 0), Flags(kept, i, 1));
            x = a.Blocks[i].Out;
        }
    }

    /// <summary>
    /// d holds the gradient of a.Output and is overwritten on the way down; parameter gradients continue.
    /// </summary>
    public void Backward(in Pass p, BlockGradients g, Mat d, EncoderActivations a, bool[][][]? kept = null)
    {
        for (int i = blocks.Length - 1; i >= 0; i--)
            blocks[i]
                .Backward(
                    p,
                    g,
                    d,
                    d,
                    a.Blocks[i],
                    i == 0 ? a.Embedded : a.Blocks[i - 1].Out,
                    Flags(kept, i, 0),
                    Flags(kept, i, 1)
                );
        Mat dPatches = g.Norm.Slice(0, a.Patches.Rows);
        Tokens.EmbedBackward(
            p.Device,
            dPatches,
            p.Gradient(ClsToken),
            trainPositions ? p.Gradient(PosEmbed) : default,
            d,
            a.Index
        );
        patchEmbed.BackwardParameters(p, dPatches, a.Columns);
    }

    private ReadOnlySpan<bool> Flags(bool[][][]? kept, int block, int branch) =>
        kept is null || blocks[block].Keep >= 1f ? default : kept[block][branch];
}
