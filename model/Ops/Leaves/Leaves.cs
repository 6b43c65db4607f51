using System.Globalization;
using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// Several leaves at once: where an operation sums rows into a gradient, the gradient may hold one for each of L
/// grains, [L*R, C] in place of [R, C]; rows are then L equal parts, one a leaf, in order. A GPU takes all in one
/// launch; on the host the operation is called leaf by leaf.
/// <para>Computes: Tree sum = T over leaves.</para>
/// <para>Shapes: sum [R, C], leaves [L*R, C].</para>
/// <para>Order: T as in docs/NUMERICS.md, Words; no + (+0).</para>
/// <para>Gradients: sum overwritten; leaves are used up.</para>
/// <para>Source: docs/NUMERICS.md rule 3.</para>
/// </summary>
public static class Leaves
{
    public static void Tree(Device device, Mat sum, Mat leaves)
    {
        leaves.Require(leaves.Rows / sum.Rows * sum.Rows, sum.Cols);
        device.Run(new LeavesTreeOp(sum, leaves));
    }

    /// <summary>
    /// In how many parts a device takes an operation: all leaves at once, or on the host each for itself. Checks that a
    /// gradient, whose one has rowsOfOne rows, holds whole leaves, and that the rows to be summed are as many equal
    /// parts.
    /// </summary>
    internal static int Parts(Device device, Mat gradient, int rowsOfOne, int rows)
    {
        int leaves = rowsOfOne == 0 ? 1 : gradient.Rows / rowsOfOne;
        if (leaves == 0 || gradient.Rows != leaves * rowsOfOne || rows % leaves != 0)
            throw new ShapeException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"a gradient is {gradient} where whole leaves of {rowsOfOne} rows are needed, and {rows} "
                        + $"rows to sum as many equal parts"
                )
            );
        return device.OnHost ? leaves : 1;
    }

    /// <summary>Part l of n equal parts of a matrix's rows; an empty matrix stays empty.</summary>
    internal static Mat Part(Mat x, int l, int n) => x.IsEmpty ? x : x.Slice(l * (x.Rows / n), x.Rows / n);
}

internal readonly record struct LeavesTreeOp(Mat Sum, Mat Leaves) : IOperation
{
    public static OpId Id => OpId.LeavesTree;
    public Mat Parameter => Sum;
    public (string Name, Mat Value)[] Outputs => [("sum", Sum)];

    public void Oracle() => LeavesOracle.Tree(Sum, Leaves);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => LeavesOracle.Tree(Sum, Leaves);

    public void Cuda(CudaDevice device) =>
        device.Elements("sums", "tree_leaves", Sum.Count, 1, Sum, Leaves, Sum.Count, Sum.Count, Leaves.Rows / Sum.Rows);
}

internal static unsafe class LeavesOracle
{
    internal static void Tree(Mat sum, Mat leaves)
    {
        int n = leaves.Rows / sum.Rows;
        for (int s = 1; s < n; s *= 2)
        for (int l = 0; l + s < n; l += 2 * s)
        for (long i = 0; i < sum.Count; i++)
            leaves.Data[l * sum.Count + i] += leaves.Data[(l + s) * sum.Count + i];
        for (long i = 0; i < sum.Count; i++)
            sum.Data[i] = leaves.Data[i];
    }
}
