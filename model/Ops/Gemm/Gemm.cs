using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// A weight matrix [N, K] (out, in) with the packed copies that a device's kernels read; see <see
/// cref="Layers.Weights"/>.
/// </summary>
public readonly unsafe struct Weight
{
    internal Weight(Mat values, float* forward, float* backward)
    {
        Values = values;
        ForwardPanels = forward;
        BackwardPanels = backward;
    }

    /// <summary>[N, K], row-major.</summary>
    public readonly Mat Values;

    /// <summary>
    /// Column panels of W^T (K rows each) and of W (N rows each), or null where the device reads Values.
    /// </summary>
    public readonly float* ForwardPanels;
    public readonly float* BackwardPanels;

    /// <summary>With room for the packed copies that a device's products read; what they hold is not packed yet.</summary>
    /// <param name="forward">For y = x W^T.</param>
    /// <param name="backward">For dx = dy W.</param>
    public static Weight For(Device device, Arena arena, Mat values, bool forward = true, bool backward = true)
    {
        long there = forward ? device.PackedFloats(values.Cols, values.Rows) : 0;
        long back = backward ? device.PackedFloats(values.Rows, values.Cols) : 0;
        return new Weight(values, there > 0 ? arena.Floats(there) : null, back > 0 ? arena.Floats(back) : null);
    }

    /// <summary>Packs W^T's panels anew, where the device reads them.</summary>
    public void PackForward(Device device)
    {
        if (ForwardPanels != null)
            device.Pack(ForwardPanels, Values.Data, 1, Values.Cols, Values.Cols, Values.Rows);
    }

    /// <summary>Packs W's panels anew, where the device reads them.</summary>
    public void PackBackward(Device device)
    {
        if (BackwardPanels != null)
            device.Pack(BackwardPanels, Values.Data, Values.Cols, 1, Values.Rows, Values.Cols);
    }
}

/// <summary>What happens to a finished element, in the contract's order: bias, activation, residual.</summary>
public enum EpilogueKind
{
    None,
    Bias,
    BiasResidual,
    BiasGelu,
    GeluBackward,
}

/// <summary>
/// The operands of an epilogue. Pre and Erf may be empty for <see cref="EpilogueKind.BiasGelu"/> when no backward pass
/// follows.
/// </summary>
public readonly struct Epilogue
{
    public EpilogueKind Kind { get; private init; }

    /// <summary>[1, N].</summary>
    public Mat Bias { get; private init; }

    /// <summary>[M, N], added last; may be the output itself's previous owner but not the output.</summary>
    public Mat Residual { get; private init; }

    /// <summary>[M, N]: the argument of GELU, and erf(argument / sqrt 2).</summary>
    public Mat Pre { get; private init; }
    public Mat Erf { get; private init; }

    public static Epilogue None => default;

    public static Epilogue AddBias(Mat bias) => new() { Kind = EpilogueKind.Bias, Bias = bias };

    public static Epilogue AddBiasResidual(Mat bias, Mat residual) =>
        new()
        {
            Kind = EpilogueKind.BiasResidual,
            Bias = bias,
            Residual = residual,
        };

    public static Epilogue BiasGelu(Mat bias, Mat pre, Mat erf) =>
        new()
        {
            Kind = EpilogueKind.BiasGelu,
            Bias = bias,
            Pre = pre,
            Erf = erf,
        };

    public static Epilogue GeluBackward(Mat pre, Mat erf) =>
        new()
        {
            Kind = EpilogueKind.GeluBackward,
            Pre = pre,
            Erf = erf,
        };
}

/// <summary>
/// Matrix products.
/// <para>Computes: Nt y = x W^T (forward); Nn dx = dy W; Tn dw (+)= dy^T x.</para>
/// <para>Shapes: x [M, K], W [N, K], y, dy [M, N], dx [M, K], dw [N, K] (or [L*N, K], see Leaves); outputs must not
/// overlap inputs.</para>
/// <para>Order: every element is one chain acc = fma(a[k], b[k], acc) from +0 over ascending k, then acc + (+0), then
/// the epilogue (docs/NUMERICS.md rule 2). Tn with accumulate continues the chain of an earlier call, so rows may
/// arrive in parts.</para>
/// <para>Gradients: Nn overwrites dx; Tn overwrites dw, or continues it.</para>
/// <para>Source: docs/NUMERICS.md rules 2 and 3.</para>
/// </summary>
public static class Gemm
{
    public static void Nt(Device device, Mat y, Mat x, Weight w, in Epilogue epilogue)
    {
        x.Require(y.Rows, w.Values.Cols);
        y.Require(x.Rows, w.Values.Rows);
        Check(y, epilogue);
        device.Run(new GemmNtOp(y, x, w, epilogue));
    }

    public static void Nn(Device device, Mat dx, Mat dy, Weight w, in Epilogue epilogue)
    {
        dy.Require(dx.Rows, w.Values.Rows);
        dx.Require(dy.Rows, w.Values.Cols);
        Check(dx, epilogue);
        device.Run(new GemmNnOp(dx, dy, w, epilogue));
    }

    public static void Tn(Device device, Mat dw, Mat dy, Mat x, bool accumulate)
    {
        dw.Require(dw.Rows, x.Cols);
        x.Require(dy.Rows, dw.Cols);
        int n = Leaves.Parts(device, dw, dy.Cols, dy.Rows);
        for (int l = 0; l < n; l++)
            device.Run(new GemmTnOp(Leaves.Part(dw, l, n), Leaves.Part(dy, l, n), Leaves.Part(x, l, n), accumulate));
    }

    private static void Check(Mat y, in Epilogue e)
    {
        if (e.Kind is EpilogueKind.Bias or EpilogueKind.BiasResidual or EpilogueKind.BiasGelu)
            e.Bias.Require(1, y.Cols);
        if (e.Kind == EpilogueKind.BiasResidual)
            e.Residual.Require(y.Rows, y.Cols);
        if (e.Kind == EpilogueKind.GeluBackward || (e.Kind == EpilogueKind.BiasGelu && !e.Pre.IsEmpty))
        {
            e.Pre.Require(y.Rows, y.Cols);
            e.Erf.Require(y.Rows, y.Cols);
        }
    }
}

internal readonly record struct GemmNtOp(Mat Y, Mat X, Weight W, Epilogue Epilogue) : IOperation
{
    public static OpId Id => OpId.GemmNt;
    public Mat Parameter => W.Values;
    public (string Name, Mat Value)[] Outputs => [("y", Y)];

    public void Oracle() => GemmOracle.Nt(Y, X, W, Epilogue);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => GemmCpu<V, L>.Nt(Y, X, W, Epilogue);

    public void Cuda(CudaDevice device)
    {
        if (device is RunToRunDevice libraries)
            GemmTensorCore.Nt(libraries, Y, X, W, Epilogue);
        else
            GemmCuda.Nt(device, Y, X, W, Epilogue);
    }
}

internal readonly record struct GemmNnOp(Mat Dx, Mat Dy, Weight W, Epilogue Epilogue) : IOperation
{
    public static OpId Id => OpId.GemmNn;
    public Mat Parameter => W.Values;
    public (string Name, Mat Value)[] Outputs => [("dx", Dx)];

    public void Oracle() => GemmOracle.Nn(Dx, Dy, W, Epilogue);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => GemmCpu<V, L>.Nn(Dx, Dy, W, Epilogue);

    public void Cuda(CudaDevice device)
    {
        if (device is RunToRunDevice libraries)
            GemmTensorCore.Nn(libraries, Dx, Dy, W, Epilogue);
        else
            GemmCuda.Nn(device, Dx, Dy, W, Epilogue);
    }
}

internal readonly record struct GemmTnOp(Mat Dw, Mat Dy, Mat X, bool Accumulate) : IOperation
{
    public static OpId Id => OpId.GemmTn;
    public Mat Parameter => Dw;
    public (string Name, Mat Value)[] Outputs => [("dw", Dw)];

    public void Oracle() => GemmOracle.Tn(Dw, Dy, X, Accumulate);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => GemmCpu<V, L>.Tn(Dw, Dy, X, Accumulate);

    public void Cuda(CudaDevice device)
    {
        if (device is RunToRunDevice libraries)
            GemmTensorCore.Tn(libraries, Dw, Dy, X, Accumulate);
        else
            GemmCuda.Tn(device, Dw, Dy, X, Accumulate);
    }
}
