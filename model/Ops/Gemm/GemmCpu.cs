using System.Runtime.CompilerServices;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

/// <summary>
/// Blocked matrix products over <see cref="GemmTile"/>. Weights come in panels of two vectors packed once a step; activations
/// are read in place. A block of rows runs over all panels, so that its epilogue finds the rows still in cache.
/// </summary>
internal static unsafe class GemmCpu<V, L> where V : unmanaged where L : struct, ILanes<V>
{
    /// <summary>Rows of a block (a multiple of every tile height) and length of a k block: A's block stays in L2.</summary>
    private const int BlockRows = 96, BlockK = 512;

    internal static int Panel => 2 * L.Count;

    internal static long PanelFloats(int k, int columns) => (long)(columns + Panel - 1) / Panel * Panel * k;

    /// <summary>Packs b[k, j] = source[k * ks + j * js] into zero-padded panels [panel][k][2 vectors].</summary>
    internal static void Pack(float* panels, float* source, nint ks, nint js, int k, int columns)
    {
        for (int j0 = 0; j0 < columns; j0 += Panel)
        {
            int width = Math.Min(Panel, columns - j0);
            for (int i = 0; i < k; i++, panels += Panel)
            {
                float* from = source + i * ks + j0 * js;
                for (int j = 0; j < width; j++) panels[j] = from[j * js];
                for (int j = width; j < Panel; j++) panels[j] = 0f;
            }
        }
    }

    internal static void Nt(Mat y, Mat x, Weight w, in Epilogue e) => Packed(y, x, w.ForwardPanels, e);

    internal static void Nn(Mat dx, Mat dy, Weight w, in Epilogue e) => Packed(dx, dy, w.BackwardPanels, e);

    private static void Packed(Mat c, Mat a, float* panels, in Epilogue e)
    {
        int k = a.Cols, n = c.Cols;
        for (int i0 = 0; i0 < c.Rows; i0 += BlockRows)
        {
            int rows = Math.Min(BlockRows, c.Rows - i0);
            for (int k0 = 0; k0 < k; k0 += BlockK)
            {
                int depth = Math.Min(BlockK, k - k0);
                for (int j = 0; j < n; j += Panel)
                    Columns(c.Row(i0) + j, n, a.Row(i0) + k0, k, 1, panels + (long)j * k + (long)k0 * Panel, Panel, rows, Math.Min(Panel, n - j), depth, k0 > 0);
            }
            EpilogueCpu<V, L>.Apply(c, i0, rows, e);
        }
    }

    internal static void Tn(Mat dw, Mat dy, Mat x, bool accumulate)
    {
        int n = dw.Cols, vector = L.Count, whole = n / vector * vector;
        float* tail = stackalloc float[BlockK * L.Count];
        for (int k0 = 0; k0 < dy.Rows; k0 += BlockK)
        {
            int depth = Math.Min(BlockK, dy.Rows - k0);
            bool load = accumulate || k0 > 0;
            int j = 0;
            for (; j < whole; j += Panel)
                Columns(dw.Data + j, n, dy.Row(k0), 1, dy.Cols, x.Row(k0) + j, n, dw.Rows, Math.Min(Panel, whole - j), depth, load);
            if (whole == n) continue;
            for (int i = 0; i < depth; i++)
                for (int q = 0; q < vector; q++) tail[i * vector + q] = whole + q < n ? x.Row(k0 + i)[whole + q] : 0f;
            Columns(dw.Data + whole, n, dy.Row(k0), 1, dy.Cols, tail, vector, dw.Rows, n - whole, depth, load);
        }
    }

    /// <summary>All rows of c for one strip of at most two vectors of columns; b is readable to the end of its last vector.</summary>
    [SkipLocalsInit]
    internal static void Columns(float* c, nint ldc, float* a, nint ars, nint aks, float* b, nint bks, int rows, int width, int k, bool load)
    {
        int lanes = width > L.Count ? Panel : L.Count;
        if (width == lanes)
        {
            Rows(c, ldc, a, ars, aks, b, bks, rows, lanes, k, load);
            return;
        }
        // a partial strip goes through a tile of its own, so that nothing is written past the row
        const int Height = 12;
        float* tile = stackalloc float[Height * 2 * L.Count];
        for (int i = 0; i < rows; i += Height)
        {
            int h = Math.Min(Height, rows - i);
            if (load)
                for (int r = 0; r < h; r++)
                    for (int j = 0; j < width; j++) tile[r * lanes + j] = c[(i + r) * ldc + j];
            Rows(tile, lanes, a + i * ars, ars, aks, b, bks, h, lanes, k, load);
            for (int r = 0; r < h; r++)
                for (int j = 0; j < width; j++) c[(i + r) * ldc + j] = tile[r * lanes + j];
        }
    }

    private static void Rows(float* c, nint ldc, float* a, nint ars, nint aks, float* b, nint bks, int rows, int lanes, int k, bool load)
    {
        int i = 0;
        if (lanes == L.Count)
        {
            for (; i + 4 <= rows; i += 4) GemmTile.Tile4x1<V, L>(c + i * ldc, ldc, a + i * ars, ars, aks, b, bks, k, load);
            for (; i < rows; i++) GemmTile.Tile1x1<V, L>(c + i * ldc, ldc, a + i * ars, ars, aks, b, bks, k, load);
            return;
        }
        if (L.Count == 16)
            for (; i + 12 <= rows; i += 12) GemmTile.Tile12x2<V, L>(c + i * ldc, ldc, a + i * ars, ars, aks, b, bks, k, load);
        else
            for (; i + 6 <= rows; i += 6) GemmTile.Tile6x2<V, L>(c + i * ldc, ldc, a + i * ars, ars, aks, b, bks, k, load);
        for (; i + 4 <= rows; i += 4) GemmTile.Tile4x2<V, L>(c + i * ldc, ldc, a + i * ars, ars, aks, b, bks, k, load);
        for (; i < rows; i++) GemmTile.Tile1x2<V, L>(c + i * ldc, ldc, a + i * ars, ars, aks, b, bks, k, load);
    }
}
