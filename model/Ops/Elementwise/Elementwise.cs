using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// Small maps and sums that several layers share.
/// <para>Computes: Add y = a + b; Scale y = x*s; Relu y = x &gt; 0 ? x : +0, dx = x &gt; 0 ? dy : +0; DropPath y =
/// residual + branch/keep where the sample is kept, residual + (+0) where dropped, dBranch = dy/keep or +0; ColumnSum
/// acc[c] continues over rows first, first+step, ...; SquaredNorm of a tensor.</para>
/// <para>Shapes: maps [R, C] throughout, outputs may be inputs; DropPath has one flag for R/S consecutive rows;
/// ColumnSum acc [1, C] (or [L, C], see Leaves); SquaredNorm norm [1, 1].</para>
/// <para>Order: one operation an element; ColumnSum a chain over ascending rows, + (+0); SquaredNorm dot(row, row) by
/// the 64 lanes, T over rows.</para>
/// <para>Gradients: ColumnSum continues acc.</para>
/// <para>Source: torch.nn.ReLU; timm 0.4.12 drop.py drop_path; docs/NUMERICS.md rules 3, 4, 9.</para>
/// </summary>
public static class Elementwise
{
    public static void Add(Device device, Mat y, Mat a, Mat b)
    {
        a.Require(y.Rows, y.Cols);
        b.Require(y.Rows, y.Cols);
        device.Run(new AddOp(y, a, b));
    }

    public static void Scale(Device device, Mat y, Mat x, float s)
    {
        x.Require(y.Rows, y.Cols);
        device.Run(new ScaleOp(y, x, s));
    }

    public static void Relu(Device device, Mat y, Mat x)
    {
        x.Require(y.Rows, y.Cols);
        device.Run(new ReluOp(y, x, x));
    }

    public static void ReluBackward(Device device, Mat dx, Mat dy, Mat x)
    {
        dy.Require(dx.Rows, dx.Cols);
        x.Require(dx.Rows, dx.Cols);
        device.Run(new ReluOp(dx, dy, x));
    }

    public static void DropPath(Device device, Mat y, Mat residual, Mat branch, ReadOnlySpan<bool> kept, float keep)
    {
        residual.Require(y.Rows, y.Cols);
        branch.Require(y.Rows, y.Cols);
        device.Run(new DropPathOp(y, residual, branch, kept, keep));
    }

    public static void DropPathBackward(Device device, Mat dBranch, Mat dy, ReadOnlySpan<bool> kept, float keep)
    {
        dy.Require(dBranch.Rows, dBranch.Cols);
        device.Run(new DropPathOp(dBranch, default, dy, kept, keep));
    }

    public static void ColumnSum(Device device, Mat acc, Mat x, int first = 0, int step = 1)
    {
        acc.Require(acc.Rows, x.Cols);
        int n = Leaves.Parts(device, acc, 1, x.Rows);
        for (int l = 0; l < n; l++)
            device.Run(new ColumnSumOp(Leaves.Part(acc, l, n), Leaves.Part(x, l, n), first, step));
    }

    public static void SquaredNorm(Device device, Mat norm, Mat x)
    {
        norm.Require(1, 1);
        device.Run(new SquaredNormOp(norm, x));
    }
}

internal readonly record struct AddOp(Mat Y, Mat A, Mat B) : IOperation
{
    public static OpId Id => OpId.Add;
    public Mat Parameter => default;
    public (string Name, Mat Value)[] Outputs => [("y", Y)];

    public void Oracle() => ElementwiseOracle.Add(Y, A, B);

    public unsafe void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => EpilogueCpu<V, L>.AddRow(Y.Data, A.Data, B.Data, Y.Count);

    public void Cuda(CudaDevice device) => device.Elements("elementwise", "add", Y.Count, 4, Y, A, B, Y.Count);
}

internal readonly record struct ScaleOp(Mat Y, Mat X, float S) : IOperation
{
    public static OpId Id => OpId.Scale;
    public Mat Parameter => Y;
    public (string Name, Mat Value)[] Outputs => [("y", Y)];

    public void Oracle() => ElementwiseOracle.Scale(Y, X, S);

    public unsafe void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => ElementwiseCpu<V, L>.Scale(Y.Data, X.Data, S, Y.Count);

    public void Cuda(CudaDevice device) => device.Elements("elementwise", "scale", Y.Count, 4, Y, X, Y.Count, S);
}

internal readonly record struct ReluOp(Mat Y, Mat X, Mat Gate) : IOperation
{
    public static OpId Id => OpId.Relu;
    public Mat Parameter => default;
    public (string Name, Mat Value)[] Outputs => [("y", Y)];

    public void Oracle() => ElementwiseOracle.Relu(Y, X, Gate);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => ElementwiseCpu<V, L>.Relu(Y, X, Gate);

    public void Cuda(CudaDevice device) => device.Elements("elementwise", "relu", Y.Count, 4, Y, X, Gate, Y.Count);
}

internal readonly ref struct DropPathOp(Mat y, Mat residual, Mat branch, ReadOnlySpan<bool> kept, float keep)
    : IOperation
{
    private readonly ReadOnlySpan<bool> kept = kept;

    public static OpId Id => OpId.DropPath;
    public Mat Parameter => default;
    public (string Name, Mat Value)[] Outputs => [("y", y)];

    public void Oracle() => ElementwiseOracle.DropPath(y, residual, branch, kept, keep);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => ElementwiseCpu<V, L>.DropPath(y, residual, branch, kept, keep);

    public unsafe void Cuda(CudaDevice device) =>
        device.Elements(
            "elementwise",
            "drop_path",
            y.Count,
            1,
            y,
            residual,
            branch,
            device.Flags(kept),
            y.Count,
            y.Count / kept.Length,
            keep
        );
}

internal readonly record struct ColumnSumOp(Mat Acc, Mat X, int First, int Step) : IOperation
{
    public static OpId Id => OpId.ColumnSum;
    public Mat Parameter => Acc;
    public (string Name, Mat Value)[] Outputs => [("sum", Acc)];

    public void Oracle() => ElementwiseOracle.ColumnSum(Acc, X, First, Step);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => ElementwiseCpu<V, L>.ColumnSum(Acc, X, First, Step);

    public void Cuda(CudaDevice device) =>
        device.Columns("sums", "column_sum", X.Cols, Acc.Rows, 64, Acc, X, X.Rows / Acc.Rows, X.Cols, First, Step);
}

internal readonly record struct SquaredNormOp(Mat Norm, Mat X) : IOperation
{
    public static OpId Id => OpId.SquaredNorm;
    public Mat Parameter => X;
    public (string Name, Mat Value)[] Outputs => [("norm", Norm)];

    public unsafe void Oracle() => Norm.Data[0] = ElementwiseOracle.SquaredNorm(X);

    public unsafe void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => Norm.Data[0] = ElementwiseCpu<V, L>.SquaredNorm(X);

    public void Cuda(CudaDevice device) => ElementwiseCuda.SquaredNorm(device, Norm, X);
}
