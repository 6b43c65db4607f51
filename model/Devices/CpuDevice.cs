using System.Runtime.Intrinsics;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Devices;

/// <summary>The CPU at one vector width; every width gives the same bits.</summary>
public sealed class CpuDevice<V, L> : Device
    where V : unmanaged
    where L : struct, ILanes<V>
{
    public override string Name =>
        L.Count switch
        {
            16 => "cpu-512",
            8 => "cpu-256",
            _ => "cpu-128",
        };

    public override long PackedFloats(int k, int columns) => GemmCpu<V, L>.PanelFloats(k, columns);

    public override unsafe void Pack(float* panels, float* source, nint ks, nint js, int k, int columns) =>
        GemmCpu<V, L>.Pack(panels, source, ks, js, k, columns);

    internal override void GemmNt(Mat y, Mat x, Weight w, in Epilogue e) => GemmCpu<V, L>.Nt(y, x, w, e);

    internal override void GemmNn(Mat dx, Mat dy, Weight w, in Epilogue e) => GemmCpu<V, L>.Nn(dx, dy, w, e);

    internal override void GemmTn(Mat dw, Mat dy, Mat x, bool accumulate) => GemmCpu<V, L>.Tn(dw, dy, x, accumulate);

    internal override unsafe void GeluForward(Mat y, Mat erf, Mat x) =>
        GeluCpu<V, L>.Forward(y.Data, erf.Data, x.Data, x.Count);

    internal override unsafe void GeluBackward(Mat dx, Mat dy, Mat x, Mat erf) =>
        GeluCpu<V, L>.Backward(dx.Data, dy.Data, x.Data, erf.Data, x.Count);

    internal override void LayerNormForward(Mat y, Mat stats, Mat x, Mat weight, Mat bias, float eps) =>
        LayerNormCpu<V, L>.Forward(y, stats, x, weight, bias, eps);

    internal override void LayerNormBackward(
        Mat dx,
        Mat dWeight,
        Mat dBias,
        Mat dy,
        Mat x,
        Mat stats,
        Mat weight,
        Mat residual
    ) => LayerNormCpu<V, L>.Backward(dx, dWeight, dBias, dy, x, stats, weight, residual);

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
    ) => BatchNormCpu<V, L>.Forward(y, stats, runningMean, runningVar, x, weight, bias, grain, momentum, eps);

    internal override void BatchNormEvaluate(
        Mat y,
        Mat x,
        Mat runningMean,
        Mat runningVar,
        Mat weight,
        Mat bias,
        float eps
    ) => BatchNormCpu<V, L>.Evaluate(y, x, runningMean, runningVar, weight, bias, eps);

    internal override void BatchNormBackward(
        Mat dx,
        Mat dWeightParts,
        Mat dBiasParts,
        Mat dy,
        Mat x,
        Mat stats,
        Mat weight,
        int grain
    ) => BatchNormCpu<V, L>.Backward(dx, dWeightParts, dBiasParts, dy, x, stats, weight, grain);

    internal override void AttentionForward(Mat output, Mat prob, Mat qkv, int tokens, int heads, float scale) =>
        AttentionCpu<V, L>.Forward(output, prob, qkv, tokens, heads, scale);

    internal override void AttentionBackward(
        Mat dQkv,
        Mat dOutput,
        Mat prob,
        Mat qkv,
        int tokens,
        int heads,
        float scale
    ) => AttentionCpu<V, L>.Backward(dQkv, dOutput, prob, qkv, tokens, heads, scale);

    internal override void TokensEmbed(Mat x, Mat patches, Mat cls, Mat pos, ReadOnlySpan<int> index, int kept) =>
        TokensCpu<V, L>.Embed(x, patches, cls, pos, index, kept);

    internal override void TokensEmbedBackward(
        Mat dPatches,
        Mat dCls,
        Mat dPos,
        Mat dx,
        ReadOnlySpan<int> index,
        int kept
    ) => TokensCpu<V, L>.EmbedBackward(dPatches, dCls, dPos, dx, index, kept);

    internal override void TokensRestore(Mat z, Mat y, Mat maskToken, Mat pos, ReadOnlySpan<int> restore, int kept) =>
        TokensCpu<V, L>.Restore(z, y, maskToken, pos, restore, kept);

    internal override void TokensRestoreBackward(Mat dy, Mat dMaskToken, Mat dz, ReadOnlySpan<int> restore, int kept) =>
        TokensCpu<V, L>.RestoreBackward(dy, dMaskToken, dz, restore, kept);

    internal override void PatchifyEmbed(Mat output, Mat images, ReadOnlySpan<int> index, PatchGrid grid) =>
        PatchifyOracle.Embed(output, images, index, grid);

    internal override void PatchifyTarget(Mat output, Mat images, PatchGrid grid) =>
        PatchifyOracle.Target(output, images, grid);

    internal override void PoolForward(Mat y, Mat x, int tokens) => PoolingCpu<V, L>.Forward(y, x, tokens);

    internal override void PoolBackward(Mat dx, Mat dy, int tokens) => PoolingCpu<V, L>.Backward(dx, dy, tokens);

    internal override void PatchNormalise(Mat target) => PatchTargetCpu<V, L>.Normalise(target);

    internal override void PatchLoss(
        Mat loss,
        Mat dPred,
        Mat pred,
        Mat target,
        ReadOnlySpan<int> restore,
        int kept,
        float scale
    ) => PatchTargetCpu<V, L>.Loss(loss, dPred, pred, target, restore, kept, scale);

    internal override void ContextLoss(Mat loss, Mat dq, Mat q, Mat t, float k) =>
        ContextLossCpu<V, L>.Run(loss, dq, q, t, k);

    internal override void CrossEntropy(Mat loss, Mat dx, Mat x, Mat target, float scale) =>
        CrossEntropyCpu<V, L>.Run(loss, dx, x, target, scale);

    internal override unsafe void Add(Mat y, Mat a, Mat b) => EpilogueCpu<V, L>.AddRow(y.Data, a.Data, b.Data, y.Count);

    internal override unsafe void Scale(Mat y, Mat x, float s) =>
        ElementwiseCpu<V, L>.Scale(y.Data, x.Data, s, y.Count);

    internal override void Relu(Mat y, Mat x, Mat gate) => ElementwiseCpu<V, L>.Relu(y, x, gate);

    internal override void DropPath(Mat y, Mat residual, Mat branch, ReadOnlySpan<bool> kept, float keep) =>
        ElementwiseCpu<V, L>.DropPath(y, residual, branch, kept, keep);

    internal override void ColumnSum(Mat acc, Mat x, int first, int step) =>
        ElementwiseCpu<V, L>.ColumnSum(acc, x, first, step);

    internal override void LeavesTree(Mat sum, Mat leaves) => LeavesOracle.Tree(sum, leaves);

    internal override unsafe void SquaredNorm(Mat norm, Mat x) => norm.Data[0] = ElementwiseCpu<V, L>.SquaredNorm(x);

    internal override void AdamW(Mat p, Mat m, Mat v, Mat g, in AdamWScalars s) => AdamWCpu<V, L>.Update(p, m, v, g, s);

    internal override void Average(Mat e, Mat p, float oneMinusDecay) => AdamWCpu<V, L>.Average(e, p, oneMinusDecay);
}

/// <summary>Chooses the CPU device for this process: the one place that knows what the hardware has.</summary>
public static class Cpu
{
    public static Device Best() =>
        Vector512.IsHardwareAccelerated ? new CpuDevice<Vector512<float>, Lanes512>()
        : Vector256.IsHardwareAccelerated ? new CpuDevice<Vector256<float>, Lanes256>()
        : new CpuDevice<Vector128<float>, Lanes128>();

    /// <summary>Every width, whether accelerated or emulated: for tests.</summary>
    public static IReadOnlyList<Device> All() =>
        [
            new CpuDevice<Vector512<float>, Lanes512>(),
            new CpuDevice<Vector256<float>, Lanes256>(),
            new CpuDevice<Vector128<float>, Lanes128>(),
        ];
}
