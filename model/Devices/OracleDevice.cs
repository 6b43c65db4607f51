using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Devices;

/// <summary>The definition of every operation: plain scalar loops. Slow, and obviously right.</summary>
public sealed class OracleDevice : Device
{
    public override string Name => "oracle";

    public override long PackedFloats(int k, int columns) => 0;

    public override unsafe void Pack(float* panels, float* source, nint ks, nint js, int k, int columns) { }

    internal override void GemmNt(Mat y, Mat x, Weight w, in Epilogue e) => GemmOracle.Nt(y, x, w, e);

    internal override void GemmNn(Mat dx, Mat dy, Weight w, in Epilogue e) => GemmOracle.Nn(dx, dy, w, e);

    internal override void GemmTn(Mat dw, Mat dy, Mat x, bool accumulate) => GemmOracle.Tn(dw, dy, x, accumulate);

    internal override void GeluForward(Mat y, Mat erf, Mat x) => GeluOracle.Forward(y, erf, x);

    internal override void GeluBackward(Mat dx, Mat dy, Mat x, Mat erf) => GeluOracle.Backward(dx, dy, x, erf);

    internal override void LayerNormForward(Mat y, Mat stats, Mat x, Mat weight, Mat bias, float eps) =>
        LayerNormOracle.Forward(y, stats, x, weight, bias, eps);

    internal override void LayerNormBackward(
        Mat dx,
        Mat dWeight,
        Mat dBias,
        Mat dy,
        Mat x,
        Mat stats,
        Mat weight,
        Mat residual
    ) => LayerNormOracle.Backward(dx, dWeight, dBias, dy, x, stats, weight, residual);

    internal override void BatchNormForward(
        Mat y,
        Mat stats,
        Mat runningMean,
        Mat runningVar,
        Mat x,
        Mat weight,
        Mat bias,
        int grain,
        float momentum,
        float eps
    ) => BatchNormOracle.Forward(y, stats, runningMean, runningVar, x, weight, bias, grain, momentum, eps);

    internal override void BatchNormEvaluate(
        Mat y,
        Mat x,
        Mat runningMean,
        Mat runningVar,
        Mat weight,
        Mat bias,
        float eps
    ) => BatchNormOracle.Evaluate(y, x, runningMean, runningVar, weight, bias, eps);

    internal override void BatchNormBackward(
        Mat dx,
        Mat dWeightParts,
        Mat dBiasParts,
        Mat dy,
        Mat x,
        Mat stats,
        Mat weight,
        int grain
    ) => BatchNormOracle.Backward(dx, dWeightParts, dBiasParts, dy, x, stats, weight, grain);

    internal override void AttentionForward(Mat output, Mat prob, Mat qkv, int tokens, int heads, float scale) =>
        AttentionOracle.Forward(output, prob, qkv, tokens, heads, scale);

    internal override void AttentionBackward(
        Mat dQkv,
        Mat dOutput,
        Mat prob,
        Mat qkv,
        int tokens,
        int heads,
        float scale
    ) => AttentionOracle.Backward(dQkv, dOutput, prob, qkv, tokens, heads, scale);

    internal override void TokensEmbed(Mat x, Mat patches, Mat cls, Mat pos, ReadOnlySpan<int> index, int kept) =>
        TokensOracle.Embed(x, patches, cls, pos, index, kept);

    internal override void TokensEmbedBackward(
        Mat dPatches,
        Mat dCls,
        Mat dPos,
        Mat dx,
        ReadOnlySpan<int> index,
        int kept
    ) => TokensOracle.EmbedBackward(dPatches, dCls, dPos, dx, index, kept);

    internal override void TokensRestore(Mat z, Mat y, Mat maskToken, Mat pos, ReadOnlySpan<int> restore, int kept) =>
        TokensOracle.Restore(z, y, maskToken, pos, restore, kept);

    internal override void TokensRestoreBackward(Mat dy, Mat dMaskToken, Mat dz, ReadOnlySpan<int> restore, int kept) =>
        TokensOracle.RestoreBackward(dy, dMaskToken, dz, restore, kept);

    internal override void PatchifyEmbed(Mat output, Mat images, ReadOnlySpan<int> index, PatchGrid grid) =>
        PatchifyOracle.Embed(output, images, index, grid);

    internal override void PatchifyTarget(Mat output, Mat images, PatchGrid grid) =>
        PatchifyOracle.Target(output, images, grid);

    internal override void PoolForward(Mat y, Mat x, int tokens) => PoolingOracle.Forward(y, x, tokens);

    internal override void PoolBackward(Mat dx, Mat dy, int tokens) => PoolingOracle.Backward(dx, dy, tokens);

    internal override void PatchNormalise(Mat target) => PatchTargetOracle.Normalise(target);

    internal override void PatchLoss(
        Mat loss,
        Mat dPred,
        Mat pred,
        Mat target,
        ReadOnlySpan<int> restore,
        int kept,
        float scale
    ) => PatchTargetOracle.Loss(loss, dPred, pred, target, restore, kept, scale);

    internal override void ContextLoss(Mat loss, Mat dq, Mat q, Mat t, float k) =>
        ContextLossOracle.Run(loss, dq, q, t, k);

    internal override void CrossEntropy(Mat loss, Mat dx, Mat x, Mat target, float scale) =>
        CrossEntropyOracle.Run(loss, dx, x, target, scale);

    internal override void Add(Mat y, Mat a, Mat b) => ElementwiseOracle.Add(y, a, b);

    internal override void Scale(Mat y, Mat x, float s) => ElementwiseOracle.Scale(y, x, s);

    internal override void Relu(Mat y, Mat x, Mat gate) => ElementwiseOracle.Relu(y, x, gate);

    internal override void DropPath(Mat y, Mat residual, Mat branch, ReadOnlySpan<bool> kept, float keep) =>
        ElementwiseOracle.DropPath(y, residual, branch, kept, keep);

    internal override void ColumnSum(Mat acc, Mat x, int first, int step) =>
        ElementwiseOracle.ColumnSum(acc, x, first, step);

    internal override void LeavesTree(Mat sum, Mat leaves) => LeavesOracle.Tree(sum, leaves);

    internal override unsafe void SquaredNorm(Mat norm, Mat x) => norm.Data[0] = ElementwiseOracle.SquaredNorm(x);

    internal override void AdamW(Mat p, Mat m, Mat v, Mat g, in AdamWScalars s) => AdamWOracle.Update(p, m, v, g, s);

    internal override void Average(Mat e, Mat p, float oneMinusDecay) => AdamWOracle.Average(e, p, oneMinusDecay);
}
