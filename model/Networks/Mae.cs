using LutNative.Model.Layers;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Networks;

/// <summary>
/// The masked autoencoder: trunk, final norm, and a decoder that sees mask tokens for hidden patches.
/// Source: He et al. 2022; MAE models_mae.py; LUT models_lut.py (same names). The order of registration is the authors'
/// state dict's.
/// </summary>
public sealed class Mae
{
    private readonly Norm norm;
    private readonly Norm decoderNorm;
    private readonly Linear decoderEmbed;
    private readonly Linear decoderPred;
    private readonly Block[] decoderBlocks;

    public Mae(StateLayout layout, VitShape shape, DecoderShape decoder)
    {
        Shape = shape;
        DecoderShape = decoder;
        Entry? mask = null;
        Entry? pos = null;
        Encoder = new Encoder(
            layout,
            shape,
            trainPositions: false,
            ownTokens: () =>
            {
                mask = layout.Add("mask_token", [1, 1, decoder.Width]);
                pos = layout.Add("decoder_pos_embed", [1, shape.Grid.Patches + 1, decoder.Width], EntryKind.Fixed);
            }
        );
        MaskToken = mask!;
        DecoderPosEmbed = pos!;
        norm = new Norm(layout, "norm", shape.Width, shape.NormEps);
        decoderEmbed = new Linear(layout, "decoder_embed", decoder.Width, shape.Width);
        decoderBlocks = new Block[decoder.Depth];
        for (int i = 0; i < decoder.Depth; i++)
            decoderBlocks[i] = new Block(
                layout,
                $"decoder_blocks.{i}",
                decoder.Width,
                decoder.Heads,
                decoder.Hidden,
                shape.NormEps
            );
        decoderNorm = new Norm(layout, "decoder_norm", decoder.Width, shape.NormEps);
        decoderPred = new Linear(layout, "decoder_pred", shape.Grid.PatchFloats, decoder.Width);
    }

    public VitShape Shape { get; }
    public DecoderShape DecoderShape { get; }
    public Encoder Encoder { get; }
    public Entry MaskToken { get; }
    public Entry DecoderPosEmbed { get; }

    /// <summary>Trunk and final norm: normed [S*(K+1), D], stats [.., 2].</summary>
    public void Encode(in Pass p, Mat normed, Mat stats, EncoderActivations a)
    {
        Encoder.Forward(p, a);
        norm.Forward(p, normed, stats, a.Output);
    }

    /// <summary>dNormed [S*(K+1), D] becomes the trunk's gradient on the way; parameter gradients continue.</summary>
    public void EncodeBackward(in Pass p, BlockGradients g, Mat dNormed, Mat stats, EncoderActivations a)
    {
        norm.Backward(p, dNormed, dNormed, a.Output, stats, default);
        Encoder.Backward(p, g, dNormed, a);
    }

    /// <summary>d.Pred from d.Normed and d.Restore.</summary>
    public void Decode(in Pass p, DecoderActivations d, int kept)
    {
        decoderEmbed.Forward(p, d.Embedded, d.Normed);
        Tokens.Restore(p.Device, d.Tokens, d.Embedded, p.Value(MaskToken), p.Value(DecoderPosEmbed), d.Restore, kept);
        Mat x = d.Tokens;
        for (int i = 0; i < decoderBlocks.Length; i++)
        {
            decoderBlocks[i].Forward(p, d.Blocks[i], x);
            x = d.Blocks[i].Out;
        }
        decoderNorm.Forward(p, d.Final, d.FinalStats, x);
        decoderPred.Forward(p, d.Pred, d.Final);
    }

    /// <summary>
    /// dNormed [S*(K+1), D] from d.DPred, overwritten; scratch [S*(P+1), Dd]; parameter gradients continue.
    /// </summary>
    public void DecodeBackward(in Pass p, BlockGradients g, Mat dNormed, Mat scratch, DecoderActivations d, int kept)
    {
        // decoderPred.Forward
        decoderPred.BackwardParameters(p, d.DPred, d.Final);
        decoderPred.BackwardInput(p, scratch, d.DPred);
        // decoderNorm.Forward
        decoderNorm.Backward(
            p,
            scratch,
            scratch,
            decoderBlocks.Length == 0 ? d.Tokens : d.Blocks[^1].Out,
            d.FinalStats,
            default
        );
        // blocks
        for (int i = decoderBlocks.Length - 1; i >= 0; i--)
            decoderBlocks[i].Backward(p, g, scratch, scratch, d.Blocks[i], i == 0 ? d.Tokens : d.Blocks[i - 1].Out);
        // Tokens.Restore
        Mat dEmbedded = g.Norm.Slice(0, d.Embedded.Rows);
        Tokens.RestoreBackward(p.Device, dEmbedded, p.Gradient(MaskToken), scratch, d.Restore, kept);
        // decoderEmbed.Forward
        decoderEmbed.BackwardParameters(p, dEmbedded, d.Normed);
        decoderEmbed.BackwardInput(p, dNormed, dEmbedded);
    }
}
