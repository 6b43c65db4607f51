using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// Cutting images into patches: copies, so there is one implementation for all CPU devices; the target's normalisation
/// is in <see cref="PatchTarget"/>.
/// <para>Computes: Embed gathers kept patches in the order of a convolution's weights (channel, row, column) for the
/// patch embedding; Target lists every patch in (row, column, channel) order for reconstruction.</para>
/// <para>Shapes: image [S, C*H*W] planes; Embed out [S*K, C*p*p]; Target out [S*P, p*p*C], P = (H/p)*(W/p), patches row
/// by row.</para>
/// <para>Order: no arithmetic.</para>
/// <para>Gradients: none reach images.</para>
/// <para>Source: MAE models_mae.py patchify and timm PatchEmbed.</para>
/// </summary>
public static class Patchify
{
    public static void Embed(Device device, Mat output, Mat images, ReadOnlySpan<int> index, PatchGrid grid)
    {
        output.Require(index.Length, grid.PatchFloats);
        device.Run(new PatchifyEmbedOp(output, images, index, grid));
    }

    public static void Target(Device device, Mat output, Mat images, PatchGrid grid)
    {
        output.Require(images.Rows * grid.Patches, grid.PatchFloats);
        device.Run(new PatchifyTargetOp(output, images, grid));
    }
}

internal readonly ref struct PatchifyEmbedOp(Mat output, Mat images, ReadOnlySpan<int> index, PatchGrid grid)
    : IOperation
{
    private readonly ReadOnlySpan<int> index = index;

    public static OpId Id => OpId.PatchifyEmbed;
    public Mat Parameter => default;
    public (string Name, Mat Value)[] Outputs => [("columns", output)];

    public void Oracle() => PatchifyOracle.Embed(output, images, index, grid);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => PatchifyOracle.Embed(output, images, index, grid);

    public unsafe void Cuda(CudaDevice device) =>
        device.Elements(
            "patchify",
            "patchify_embed",
            output.Count,
            1,
            output,
            images,
            device.Integers(index),
            output.Count,
            index.Length / images.Rows,
            grid.Channels,
            grid.Size,
            grid.Patch
        );
}

internal readonly record struct PatchifyTargetOp(Mat Output, Mat Images, PatchGrid Grid) : IOperation
{
    public static OpId Id => OpId.PatchifyTarget;
    public Mat Parameter => default;
    public (string Name, Mat Value)[] Outputs => [("target", Output)];

    public void Oracle() => PatchifyOracle.Target(Output, Images, Grid);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => PatchifyOracle.Target(Output, Images, Grid);

    public void Cuda(CudaDevice device) =>
        device.Elements(
            "patchify",
            "patchify_target",
            Output.Count,
            1,
            Output,
            Images,
            Output.Count,
            Grid.Channels,
            Grid.Size,
            Grid.Patch
        );
}

internal static unsafe class PatchifyOracle
{
    internal static void Embed(Mat output, Mat images, ReadOnlySpan<int> index, PatchGrid grid)
    {
        int kept = index.Length / images.Rows;
        int p = grid.Patch;
        for (int i = 0; i < index.Length; i++)
        {
            float* to = output.Row(i);
            float* image = images.Row(i / kept);
            int top = index[i] / grid.Across * p;
            int left = index[i] % grid.Across * p;
            for (int c = 0; c < grid.Channels; c++)
            for (int y = 0; y < p; y++, to += p)
            {
                float* from = image + ((long)c * grid.Size + top + y) * grid.Size + left;
                for (int x = 0; x < p; x++)
                    to[x] = from[x];
            }
        }
    }

    internal static void Target(Mat output, Mat images, PatchGrid grid)
    {
        int p = grid.Patch;
        for (int s = 0; s < images.Rows; s++)
        for (int l = 0; l < grid.Patches; l++)
        {
            float* to = output.Row(s * grid.Patches + l);
            float* image = images.Row(s);
            int top = l / grid.Across * p;
            int left = l % grid.Across * p;
            for (int y = 0; y < p; y++)
            for (int x = 0; x < p; x++)
            for (int c = 0; c < grid.Channels; c++)
                *to++ = image[((long)c * grid.Size + top + y) * grid.Size + left + x];
        }
    }
}

/// <summary>A square image of Size x Size pixels and Channels planes, cut into Patch x Patch squares.</summary>
public readonly record struct PatchGrid(int Size, int Patch, int Channels = 3)
{
    public int Across => Size / Patch;
    public int Patches => Across * Across;
    public int PatchFloats => Channels * Patch * Patch;
    public int ImageFloats => Channels * Size * Size;
}
