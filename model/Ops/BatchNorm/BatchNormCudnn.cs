using LutNative.Interop;
using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>Batch norm by cuDNN (--math run-to-run), over the whole batch at once.</summary>
internal static unsafe class BatchNormCudnn
{
    internal static void Forward(
        RunToRunDevice d,
        Mat y,
        Mat stats,
        Mat runningMean,
        Mat runningVar,
        Mat x,
        Mat weight,
        Mat bias,
        float momentum,
        float eps
    ) =>
        d.Queue.Call(
            d.Dnn.BatchNormForward(x.Rows, x.Cols, momentum, eps),
            new Work(0, 8.0 * x.Count),
            (ulong)x.Data,
            (ulong)y.Data,
            (ulong)weight.Data,
            (ulong)bias.Data,
            (ulong)runningMean.Data,
            (ulong)runningVar.Data,
            (ulong)stats.Row(0),
            (ulong)stats.Row(1)
        );

    /// <summary>The whole batch's parameter gradients are the first part; the others are 0.</summary>
    internal static void Backward(
        RunToRunDevice d,
        Mat dx,
        Mat dWeightParts,
        Mat dBiasParts,
        Mat dy,
        Mat x,
        Mat stats,
        Mat weight
    )
    {
        d.Clear(dWeightParts);
        d.Clear(dBiasParts);
        Mat to = dx.Data == dy.Data ? d.LikeLeft(dx) : dx; // cuDNN wants another place for its result
        // the saved statistics hold epsilon already: cuDNN asks for one and does not use it then
        d.Queue.Call(
            d.Dnn.BatchNormBackward(x.Rows, x.Cols, 1e-5f),
            new Work(0, 12.0 * x.Count),
            (ulong)x.Data,
            (ulong)dy.Data,
            (ulong)to.Data,
            (ulong)weight.Data,
            (ulong)dWeightParts.Data,
            (ulong)dBiasParts.Data,
            (ulong)stats.Row(0),
            (ulong)stats.Row(1)
        );
        if (to.Data != dx.Data)
            d.Copy(dx, to);
    }
}
