using System.Runtime.CompilerServices;
using LutNative.Model.Numerics;

namespace LutNative.Model.Ops;

/// <summary>Products of matrices so small that neither is packed.</summary>
internal static unsafe class GemmSmall<V, L>
    where V : unmanaged
    where L : struct, ILanes<V>
{
    /// <summary>
    /// c[rows, width] = chains over k of A, read in place (element (i, k) at i * ars + k * aks), and rows of b that can
    /// be read to a whole vector: for attention's small products. A last group of fewer than four rows is computed
    /// together with the rows before it, again: the same bits.
    /// </summary>
    [SkipLocalsInit]
    internal static void Run(
        float* c,
        nint ldc,
        float* a,
        nint ars,
        nint aks,
        float* b,
        nint bks,
        int rows,
        int width,
        int k
    )
    {
        float* tile = stackalloc float[12 * 3 * L.Count];
        float* few = stackalloc float[rows < 4 ? 4 * k : 4];
        int all = rows;
        if (rows < 4)
        {
            // too few rows to overlap
            GemmPacking<V, L>.PackFew(few, a, ars, aks, rows, k);
            a = few;
            (ars, aks, rows) = (1, 4, 4);
        }
        for (int j = 0; j < width; j += GemmPacking<V, L>.Panel)
        {
            int w = Math.Min(GemmPacking<V, L>.Panel, width - j);
            int lanes = (w + L.Count - 1) / L.Count * L.Count;
            for (int i = 0; i < rows; i += GemmStrip<V, L>.Height)
            {
                int h = Math.Min(GemmStrip<V, L>.Height, rows - i);
                if (h >= 4)
                    h = h / 4 * 4;
                else
                    (i, h) = (rows - 4, 4);
                if (w == lanes && all == rows)
                    GemmStrip<V, L>.Tile(
                        c + i * ldc + j,
                        ldc,
                        a + i * ars,
                        ars,
                        aks,
                        4 * ars,
                        b + j,
                        bks,
                        h,
                        lanes,
                        k,
                        false,
                        b,
                        0,
                        b,
                        0
                    );
                else
                {
                    // a partial strip goes through a tile of its own, so that nothing is written past the row
                    GemmStrip<V, L>.Tile(
                        tile,
                        GemmPacking<V, L>.Panel,
                        a + i * ars,
                        ars,
                        aks,
                        4 * ars,
                        b + j,
                        bks,
                        h,
                        lanes,
                        k,
                        false,
                        b,
                        0,
                        b,
                        0
                    );
                    for (int r = 0; r < Math.Min(h, all - i); r++)
                        GemmPacking<V, L>.CopyRow(c + (i + r) * ldc + j, tile + r * GemmPacking<V, L>.Panel, w);
                }
                if (h < GemmStrip<V, L>.Height)
                    i += h - GemmStrip<V, L>.Height; // the loop goes on after these rows
            }
        }
    }
}
