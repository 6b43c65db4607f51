using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// Pixel reconstruction: the normalised target, the loss of each masked patch and its gradient.
/// <para>Computes: Normalise t = (t - mean) / sqrt(var + 1e-6) per patch, var with N-1; loss[s, l] = mean (pred -
/// target)^2 on masked patches, 0 elsewhere; dPred = (pred - target) * scale on masked patches, +0 elsewhere and on the
/// class token's row.</para>
/// <para>Shapes: target [S*P, N], pred and dPred [S*(P+1), N] (row 0 of a sequence is the class token), loss [S, P],
/// restore S*P places (masked when &gt;= kept).</para>
/// <para>Order: mean = sum/N, c = t - mean, var = dot(c, c)/(N-1), t = c / sqrt(var + 1e-6f); d = pred - target; loss =
/// dot(d, d)/N, by the 64 lanes. The batch's loss is T over the masked patches in (sample, patch) order, divided by
/// their count. scale = 2*weight/(N*count), rounded once.</para>
/// <para>Gradients: dPred overwritten.</para>
/// <para>Source: MAE models_mae.py forward_loss; LUT models_lut.py:271-287; docs/NUMERICS.md rule 9.</para>
/// </summary>
public static class PatchTarget
{
    internal const float Eps = 1e-6f;

    public static void Normalise(Device device, Mat target) => device.Run(new PatchNormaliseOp(target));

    public static void Loss(
        Device device,
        Mat loss,
        Mat dPred,
        Mat pred,
        Mat target,
        ReadOnlySpan<int> restore,
        int kept,
        float scale
    )
    {
        loss.Require(pred.Rows - target.Rows, target.Rows / (pred.Rows - target.Rows));
        dPred.Require(pred.Rows, target.Cols);
        pred.Require(dPred.Rows, target.Cols);
        device.Run(new PatchLossOp(loss, dPred, pred, target, restore, kept, scale));
    }
}

internal readonly record struct PatchNormaliseOp(Mat Target) : IOperation
{
    public static OpId Id => OpId.PatchNormalise;
    public Mat Parameter => default;
    public (string Name, Mat Value)[] Outputs => [("target", Target)];

    public void Oracle() => PatchTargetOracle.Normalise(Target);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => PatchTargetCpu<V, L>.Normalise(Target);

    public void Cuda(CudaDevice device) =>
        device.Rows("losses", "patch_normalise", Target.Rows, Target, Target.Rows, Target.Cols);
}

internal readonly ref struct PatchLossOp(
    Mat loss,
    Mat dPred,
    Mat pred,
    Mat target,
    ReadOnlySpan<int> restore,
    int kept,
    float scale
) : IOperation
{
    private readonly ReadOnlySpan<int> restore = restore;

    public static OpId Id => OpId.PatchLoss;
    public Mat Parameter => default;
    public (string Name, Mat Value)[] Outputs => [("loss", loss), ("dPred", dPred)];

    public void Oracle() => PatchTargetOracle.Loss(loss, dPred, pred, target, restore, kept, scale);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => PatchTargetCpu<V, L>.Loss(loss, dPred, pred, target, restore, kept, scale);

    public unsafe void Cuda(CudaDevice device) =>
        device.Rows(
            "losses",
            "patch_loss",
            pred.Rows,
            loss,
            dPred,
            pred,
            target,
            device.Integers(restore),
            pred.Rows,
            loss.Cols,
            target.Cols,
            kept,
            scale
        );
}
