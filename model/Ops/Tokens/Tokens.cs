using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// Building token sequences and undoing it. S sequences; P patches of the full grid, K of them kept; <c>index</c>[s*K +
/// i] is the patch kept at place i; <c>restore</c>[s*P + l] is the place of patch l in shuffled order (kept when below
/// K).
/// <para>Computes: Embed x[s, 0] = cls + pos[0], x[s, 1+i] = patches[s, i] + pos[1 + index]; Restore z[s, 0] = y[s, 0]
/// + pos[0], z[s, 1+l] = (kept ? y[s, 1 + restore] : maskToken) + pos[1+l].</para>
/// <para>Shapes: x [S*(K+1), D], patches [S*K, D], pos [1+P, D], cls, maskToken [1, D], y [S*(K+1), D], z [S*(P+1),
/// D].</para>
/// <para>Order: one addition an element. Gradients that sum over rows (cls, maskToken, pos) are chains over ascending
/// (sequence, token), each call ending with + (+0).</para>
/// <para>Gradients: dCls, dMaskToken [1, D], dPos [1+P, D] continued (or L of each, see Leaves; dPos may be empty);
/// dPatches, dy overwritten.</para>
/// <para>Source: MAE models_mae.py forward_encoder and forward_decoder; docs/NUMERICS.md rule 3.</para>
/// </summary>
public static class Tokens
{
    public static void Embed(Device device, Mat x, Mat patches, Mat cls, Mat pos, ReadOnlySpan<int> index)
    {
        int kept = Sequence(patches.Rows, x.Rows - patches.Rows);
        x.Require(patches.Rows / kept * (kept + 1), patches.Cols);
        cls.Require(1, x.Cols);
        device.Run(new TokensEmbedOp(x, patches, cls, pos, index, kept));
    }

    public static void EmbedBackward(Device device, Mat dPatches, Mat dCls, Mat dPos, Mat dx, ReadOnlySpan<int> index)
    {
        int kept = Sequence(dPatches.Rows, dx.Rows - dPatches.Rows);
        dCls.Require(dCls.Rows, dx.Cols);
        int n = Leaves.Parts(device, dCls, 1, dx.Rows / (kept + 1));
        for (int l = 0; l < n; l++)
            device.Run(
                new TokensEmbedBackwardOp(
                    Leaves.Part(dPatches, l, n),
                    Leaves.Part(dCls, l, n),
                    Leaves.Part(dPos, l, n),
                    Leaves.Part(dx, l, n),
                    index.Slice(l * (index.Length / n), index.Length / n),
                    kept
                )
            );
    }

    public static void Restore(Device device, Mat z, Mat y, Mat maskToken, Mat pos, ReadOnlySpan<int> restore, int kept)
    {
        z.Require(y.Rows / (kept + 1) * pos.Rows, y.Cols);
        maskToken.Require(1, y.Cols);
        device.Run(new TokensRestoreOp(z, y, maskToken, pos, restore, kept));
    }

    public static void RestoreBackward(
        Device device,
        Mat dy,
        Mat dMaskToken,
        Mat dz,
        ReadOnlySpan<int> restore,
        int kept
    )
    {
        dMaskToken.Require(dMaskToken.Rows, dy.Cols);
        dz.Require(restore.Length + dy.Rows / (kept + 1), dy.Cols);
        int n = Leaves.Parts(device, dMaskToken, 1, dy.Rows / (kept + 1));
        for (int l = 0; l < n; l++)
            device.Run(
                new TokensRestoreBackwardOp(
                    Leaves.Part(dy, l, n),
                    Leaves.Part(dMaskToken, l, n),
                    Leaves.Part(dz, l, n),
                    restore.Slice(l * (restore.Length / n), restore.Length / n),
                    kept
                )
            );
    }

    private static int Sequence(int patchRows, int sequences)
    {
        if (sequences <= 0 || patchRows % sequences != 0)
            throw new ShapeException($"{patchRows} patch rows are not {sequences} equal sequences");
        return patchRows / sequences;
    }
}

internal readonly ref struct TokensEmbedOp(Mat x, Mat patches, Mat cls, Mat pos, ReadOnlySpan<int> index, int kept)
    : IOperation
{
    private readonly ReadOnlySpan<int> index = index;

    public static OpId Id => OpId.TokensEmbed;
    public Mat Parameter => cls;
    public (string Name, Mat Value)[] Outputs => [("x", x)];

    public void Oracle() => TokensOracle.Embed(x, patches, cls, pos, index, kept);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => TokensCpu<V, L>.Embed(x, patches, cls, pos, index, kept);

    public void Cuda(CudaDevice device) => TokensCuda.Embed(device, x, patches, cls, pos, index, kept);
}

internal readonly ref struct TokensEmbedBackwardOp(
    Mat dPatches,
    Mat dCls,
    Mat dPos,
    Mat dx,
    ReadOnlySpan<int> index,
    int kept
) : IOperation
{
    private readonly ReadOnlySpan<int> index = index;

    public static OpId Id => OpId.TokensEmbedBackward;
    public Mat Parameter => dCls;
    public (string Name, Mat Value)[] Outputs => [("dPatches", dPatches), ("dCls", dCls), ("dPos", dPos)];

    public void Oracle() => TokensOracle.EmbedBackward(dPatches, dCls, dPos, dx, index, kept);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => TokensCpu<V, L>.EmbedBackward(dPatches, dCls, dPos, dx, index, kept);

    public void Cuda(CudaDevice device) => TokensCuda.EmbedBackward(device, dPatches, dCls, dPos, dx, index, kept);
}

internal readonly ref struct TokensRestoreOp(Mat z, Mat y, Mat maskToken, Mat pos, ReadOnlySpan<int> restore, int kept)
    : IOperation
{
    private readonly ReadOnlySpan<int> restore = restore;

    public static OpId Id => OpId.TokensRestore;
    public Mat Parameter => maskToken;
    public (string Name, Mat Value)[] Outputs => [("z", z)];

    public void Oracle() => TokensOracle.Restore(z, y, maskToken, pos, restore, kept);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => TokensCpu<V, L>.Restore(z, y, maskToken, pos, restore, kept);

    public void Cuda(CudaDevice device) => TokensCuda.Restore(device, z, y, maskToken, pos, restore, kept);
}

internal readonly ref struct TokensRestoreBackwardOp(
    Mat dy,
    Mat dMaskToken,
    Mat dz,
    ReadOnlySpan<int> restore,
    int kept
) : IOperation
{
    private readonly ReadOnlySpan<int> restore = restore;

    public static OpId Id => OpId.TokensRestoreBackward;
    public Mat Parameter => dMaskToken;
    public (string Name, Mat Value)[] Outputs => [("dy", dy), ("dMaskToken", dMaskToken)];

    public void Oracle() => TokensOracle.RestoreBackward(dy, dMaskToken, dz, restore, kept);

    public void Cpu<V, L>()
        where V : unmanaged
        where L : struct, ILanes<V> => TokensCpu<V, L>.RestoreBackward(dy, dMaskToken, dz, restore, kept);

    public void Cuda(CudaDevice device) => TokensCuda.RestoreBackward(device, dy, dMaskToken, dz, restore, kept);
}
