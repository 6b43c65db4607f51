using System.Runtime.CompilerServices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// A strip of a product, tile by tile: a block's rows by a panel's columns, kept in scratch until its chains are whole.
/// </summary>
internal static unsafe class GemmStrip<V, L>
    where V : unmanaged
    where L : struct, ILanes<V>
{
    /// <summary>k steps of one tile call.</summary>
    internal const int SliceK = 512;

    private static int Panel => GemmPacking<V, L>.Panel;

    /// <summary>Rows of the largest tile: 32 registers hold 12 x 2 accumulators, 16 hold 4 x 3.</summary>
    internal static int Height => L.Count == 16 ? 12 : 4;

    /// <summary>
    /// Rows [i0, i0 + rows) and columns [j0, j1) of c, panel by panel: strip = (c's strip or 0) + A x panel, then the
    /// epilogue to c. A's strides are those of <see cref="GemmTile"/>, B's rows are bks apart, its panels panelStride.
    /// Where nothing follows the product, tiles write to c themselves.
    /// </summary>
    [SkipLocalsInit]
    internal static void Run(
        Mat c,
        int i0,
        int rows,
        int j0,
        int j1,
        float* a,
        nint ars,
        nint aks,
        nint ags,
        int depth,
        float* b,
        nint bks,
        long panelStride,
        bool load,
        in Epilogue e
    )
    {
        int slice = Even(depth, SliceK);
        int last = rows % 4;
        float* strip = Scratch.Floats(ScratchUse.Strip, (long)(rows + 4) * Panel + 4 * depth);
        float* few = strip + (rows + 4) * Panel;
        if (last > 0)
            GemmPacking<V, L>.PackFew(few, a + rows / 4 * ags, ars, aks, last, depth);
        // packed panels come from far away, and so does what the epilogue reads
        bool far = bks == Panel;
        int tiles = (rows + Height - 1) / Height * ((depth + slice - 1) / slice);
        int share = far ? (depth * Panel + tiles - 1) / tiles : 0;
        Mat soon = e.Kind switch
        {
            EpilogueKind.BiasResidual => e.Residual,
            EpilogueKind.GeluBackward => e.Pre,
            _ => c,
        };
        for (int j = j0; j < j1; j += Panel, b += panelStride)
        {
            int width = Math.Min(Panel, j1 - j);
            int lanes = (width + L.Count - 1) / L.Count * L.Count;
            bool direct = e.Kind == EpilogueKind.None && width == lanes && last == 0;
            float* to = direct ? c.Row(i0) + j : strip;
            float* next = far && j + Panel < j1 ? b + panelStride : b;
            nint ldt = direct ? c.Cols : Panel;
            if (load && !direct)
                for (int i = 0; i < rows; i++)
                    GemmPacking<V, L>.CopyRow(strip + i * Panel, c.Row(i0 + i) + j, width);
            for (int k0 = 0; k0 < depth; k0 += slice)
            {
                int d = Math.Min(slice, depth - k0);
                for (int i = 0; i < rows; next += share)
                {
                    int h = Math.Min(Height, rows - i) / 4 * 4;
                    // what this tile writes, or where an output is continued what the next one reads
                    float* output = direct ? to + (load ? i + h : i) * ldt : soon.Row(i0 + i) + j;
                    if (h > 0)
                        Tile(
                            to + i * ldt,
                            ldt,
                            a + i / 4 * ags + k0 * aks,
                            ars,
                            aks,
                            ags,
                            b + k0 * bks,
                            bks,
                            h,
                            lanes,
                            d,
                            load || k0 > 0,
                            next,
                            share,
                            output,
                            soon.Cols
                        );
                    else
                        Tile(
                            to + i * ldt,
                            ldt,
                            few + 4 * k0,
                            1,
                            4,
                            0,
                            b + k0 * bks,
                            bks,
                            4,
                            lanes,
                            d,
                            load || k0 > 0,
                            next,
                            share,
                            output,
                            soon.Cols
                        );
                    i += h > 0 ? h : 4;
                }
            }
            if (!direct)
                EpilogueCpu<V, L>.Apply(c, i0, rows, j, width, strip, Panel, e);
        }
    }

    /// <summary>
    /// One tile of 4, 8 or 12 rows and a panel's width or less; strides as in <see cref="GemmTile"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Tile(
        float* c,
        nint ldc,
        float* a,
        nint ars,
        nint aks,
        nint ags,
        float* b,
        nint bks,
        int rows,
        int lanes,
        int k,
        bool load,
        float* ahead,
        int aheadFloats,
        float* far,
        nint ldf
    )
    {
        byte* next = (byte*)ahead;
        nint step = aheadFloats * sizeof(float) / k;
        if (lanes == L.Count)
            for (int i = 0; i < rows; i += 4)
                GemmTile.Tile4x1<V, L>(
                    c + i * ldc,
                    ldc,
                    a + i / 4 * ags,
                    ars,
                    aks,
                    ags,
                    b,
                    bks,
                    k,
                    load,
                    next,
                    step,
                    far,
                    ldf
                );
        else if (L.Count == 16)
        {
            if (rows == 12)
                GemmTallTile.Tile12x2<V, L>(c, ldc, a, ars, aks, ags, b, bks, k, load, next, step, far, ldf);
            else if (rows == 8)
                GemmTallTile.Tile8x2<V, L>(c, ldc, a, ars, aks, ags, b, bks, k, load, next, step, far, ldf);
            else
                GemmTile.Tile4x2<V, L>(c, ldc, a, ars, aks, ags, b, bks, k, load, next, step, far, ldf);
        }
        else if (lanes == 2 * L.Count)
            GemmTile.Tile4x2<V, L>(c, ldc, a, ars, aks, ags, b, bks, k, load, next, step, far, ldf);
        else
            GemmTile.Tile4x3<V, L>(c, ldc, a, ars, aks, ags, b, bks, k, load, next, step, far, ldf);
    }

    /// <summary>The length of equal parts, none longer than most.</summary>
    internal static int Even(int n, int most)
    {
        int parts = (n + most - 1) / most;
        return (n + parts - 1) / parts;
    }
}
