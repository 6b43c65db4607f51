using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// native/kernels/tokens.cu. dCls, dMaskToken [leaves, D], dPos [leaves*(1+P), D]: each leaf's chains run over its own
/// sequences.
/// </summary>
internal static unsafe class TokensCuda
{
    internal static void Embed(CudaDevice d, Mat x, Mat patches, Mat cls, Mat pos, ReadOnlySpan<int> index, int kept) =>
        d.Grid("tokens", "tokens_embed", x.Rows, x.Cols, x, patches, cls, pos, d.Integers(index), kept, x.Cols);

    internal static void EmbedBackward(
        CudaDevice d,
        Mat dPatches,
        Mat dCls,
        Mat dPos,
        Mat dx,
        ReadOnlySpan<int> index,
        int kept
    )
    {
        int leaves = dCls.Rows;
        int sequences = dx.Rows / (kept + 1) / leaves;
        d.Grid("tokens", "tokens_embed_backward", dPatches.Rows, dx.Cols, dPatches, dx, kept, dx.Cols);
        // the class token is row 0 of every sequence
        d.Columns("sums", "column_sum", dx.Cols, leaves, 64, dCls, dx, sequences * (kept + 1), dx.Cols, 0, kept + 1);
        if (!dPos.IsEmpty)
            d.Columns(
                "tokens",
                "tokens_positions_backward",
                dx.Cols,
                dPos.Rows,
                128,
                dPos,
                dx,
                d.Integers(index),
                sequences,
                kept,
                dPos.Rows / leaves,
                dx.Cols
            );
    }

    internal static void Restore(
        CudaDevice d,
        Mat z,
        Mat y,
        Mat maskToken,
        Mat pos,
        ReadOnlySpan<int> restore,
        int kept
    ) =>
        d.Grid(
            "tokens",
            "tokens_restore",
            z.Rows,
            z.Cols,
            z,
            y,
            maskToken,
            pos,
            d.Integers(restore),
            kept,
            pos.Rows - 1,
            z.Cols
        );

    internal static void RestoreBackward(
        CudaDevice d,
        Mat dy,
        Mat dMaskToken,
        Mat dz,
        ReadOnlySpan<int> restore,
        int kept
    )
    {
        int sequences = dy.Rows / (kept + 1);
        int patches = restore.Length / sequences;
        int leaves = dMaskToken.Rows;
        int* places = d.Integers(restore);
        d.Grid("tokens", "tokens_restore_backward", dz.Rows, dz.Cols, dy, dz, places, kept, patches, dz.Cols);
        d.Columns(
            "tokens",
            "tokens_mask_backward",
            dz.Cols,
            leaves,
            128,
            dMaskToken,
            dz,
            places,
            sequences / leaves,
            kept,
            patches,
            dz.Cols
        );
    }
}
