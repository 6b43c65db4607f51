using LutNative.Model.Devices;
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
        device.Add(y, a, b);
    }

    public static void Scale(Device device, Mat y, Mat x, float s)
    {
        x.Require(y.Rows, y.Cols);
        device.Scale(y, x, s);
    }

    public static void Relu(Device device, Mat y, Mat x)
    {
        x.Require(y.Rows, y.Cols);
        device.Relu(y, x, x);
    }

    public static void ReluBackward(Device device, Mat dx, Mat dy, Mat x)
    {
        dy.Require(dx.Rows, dx.Cols);
        x.Require(dx.Rows, dx.Cols);
        device.Relu(dx, dy, x);
    }

    public static void DropPath(Device device, Mat y, Mat residual, Mat branch, ReadOnlySpan<bool> kept, float keep)
    {
        residual.Require(y.Rows, y.Cols);
        branch.Require(y.Rows, y.Cols);
        device.DropPath(y, residual, branch, kept, keep);
    }

    public static void DropPathBackward(Device device, Mat dBranch, Mat dy, ReadOnlySpan<bool> kept, float keep)
    {
        dy.Require(dBranch.Rows, dBranch.Cols);
        device.DropPath(dBranch, default, dy, kept, keep);
    }

    public static void ColumnSum(Device device, Mat acc, Mat x, int first = 0, int step = 1)
    {
        acc.Require(acc.Rows, x.Cols);
        int n = Leaves.Parts(device, acc, 1, x.Rows);
        for (int l = 0; l < n; l++)
            device.ColumnSum(Leaves.Part(acc, l, n), Leaves.Part(x, l, n), first, step);
    }

    public static void SquaredNorm(Device device, Mat norm, Mat x)
    {
        norm.Require(1, 1);
        device.SquaredNorm(norm, x);
    }
}
