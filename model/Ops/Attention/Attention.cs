using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// Multi-head self-attention over sequences of N tokens, from and to the fused qkv layout.
/// <para>Computes: out = softmax(scale q k^T) v for each sequence and head.</para>
/// <para>Shapes: qkv, dQkv [S*N, 3*D] with columns (3, H, E), D = H*E; output, dOutput [S*N, D]; prob [S*H*N, N], or
/// empty where no backward pass follows. No overlaps.</para>
/// <para>Order: a = chain over e of fma(q, k); s = a*scale; m = max by compare-select over ascending keys, then m +
/// (+0); p = cr_exp(s - m) / sum(...), the sum by the 64 lanes of rule 4; out = chain over keys of fma(p, v). Backward:
/// dp = chain over e of fma(dout, v); ds = p*(dp - dot(dp, p)); da = ds*scale; dq = chain over keys fma(da, k); dk =
/// chain over queries fma(da, q); dv = chain over queries fma(p, dout).</para>
/// <para>Gradients: dQkv overwritten.</para>
/// <para>Source: timm 0.4.12 vision_transformer.py, class Attention; docs/NUMERICS.md rules 2, 4, 6.</para>
/// </summary>
public static class Attention
{
    /// <summary>
    /// Floats a row that attention over so many tokens keeps for its backward pass, by the device whose memory this is.
    /// </summary>
    public static int Kept(IMemory memory, int tokens) =>
        memory is Device device ? device.AttentionKept(tokens) : tokens;

    public static void Forward(Device device, Mat output, Mat prob, Mat qkv, int tokens, int heads, float scale)
    {
        output.Require(qkv.Rows, qkv.Cols / 3);
        if (!prob.IsEmpty)
            prob.Require(qkv.Rows * heads, device.AttentionKept(tokens));
        device.Run(new AttentionForwardOp(output, prob, qkv, tokens, heads, scale));
    }

    public static void Backward(
        Device device,
        Mat dQkv,
        Mat dOutput,
        Mat prob,
        Mat qkv,
        int tokens,
        int heads,
        float scale
    )
    {
        dQkv.Require(qkv.Rows, qkv.Cols);
        dOutput.Require(qkv.Rows, qkv.Cols / 3);
        prob.Require(qkv.Rows * heads, device.AttentionKept(tokens));
        device.Run(new AttentionBackwardOp(dQkv, dOutput, prob, qkv, tokens, heads, scale));
    }
}

internal readonly record struct AttentionForwardOp(Mat Output, Mat Prob, Mat Qkv, int Tokens, int Heads, float Scale)
    : IOperation
{
    public static OpId Id => OpId.AttentionForward;
    public Mat Parameter => default;
    public (string Name, Mat Value)[] Outputs => [("y", Output), ("prob", Prob)];

    public void Oracle() => AttentionOracle.Forward(Output, Prob, Qkv, Tokens, Heads, Scale);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => AttentionCpu<V, L>.Forward(Output, Prob, Qkv, Tokens, Heads, Scale);

    public void Cuda(CudaDevice device)
    {
        if (device is RunToRunDevice libraries)
            AttentionTensorCore.Forward(libraries, Output, Prob, Qkv, Tokens, Heads, Scale);
        else
            AttentionCuda.Forward(device, Output, Prob, Qkv, Tokens, Heads, Scale);
    }
}

internal readonly record struct AttentionBackwardOp(
    Mat DQkv,
    Mat DOutput,
    Mat Prob,
    Mat Qkv,
    int Tokens,
    int Heads,
    float Scale
) : IOperation
{
    public static OpId Id => OpId.AttentionBackward;
    public Mat Parameter => default;
    public (string Name, Mat Value)[] Outputs => [("dQkv", DQkv)];

    public void Oracle() => AttentionOracle.Backward(DQkv, DOutput, Prob, Qkv, Tokens, Heads, Scale);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => AttentionCpu<V, L>.Backward(DQkv, DOutput, Prob, Qkv, Tokens, Heads, Scale);

    public void Cuda(CudaDevice device)
    {
        if (device is RunToRunDevice libraries)
            AttentionTensorCore.Backward(libraries, DQkv, DOutput, Prob, Qkv, Tokens, Heads, Scale);
        else
            AttentionCuda.Backward(device, DQkv, DOutput, Prob, Qkv, Tokens, Heads, Scale);
    }
}
