using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Ops;

/// <summary>
/// Blocked matrix products over <see cref="GemmTile"/>. Weights come in panels of a tile's width, packed once a step;
/// activations are read in place. A block of A's rows stays in the second-level cache while the panels pass; what a
/// tile needs next from further away (the next panel, the next part of an output that is continued) is asked for ahead
/// of time. A strip (the block's rows, a panel's columns) goes to C once, through the epilogue, while it is hot.
/// </summary>
internal static unsafe class GemmCpu<V, L>
    where V : unmanaged
    where L : struct, ILanes<V>
{
    /// <summary>k steps of one tile call and of a block.</summary>
    private const int SliceK = 512;
    private const int BlockK = 1024;

    /// <summary>Floats of a block of A: half the second-level cache.</summary>
    private static readonly int BlockFloats = (int)(Caches.Second / 2 / sizeof(float));

    /// <summary>dW packs its operands where both are at least so wide.</summary>
    private const int PackFrom = 384;

    /// <summary>Rows so far apart, or a multiple of it, fall on each other in the first-level cache.</summary>
    private const int PageFloats = 1024;

    /// <summary>Rows that a packing loop asks for ahead.</summary>
    private const int Ahead = 24;

    /// <summary>Rows of the largest tile: 32 registers hold 12 x 2 accumulators, 16 hold 4 x 3.</summary>
    private static int Height => L.Count == 16 ? 12 : 4;

    internal static int Panel => (L.Count == 16 ? 2 : 3) * L.Count;

    internal static long PanelFloats(int k, int columns) => (long)(columns + Panel - 1) / Panel * Panel * k;

    /// <summary>
    /// Packs b[k, j] = source[k * ks + j * js] into zero-padded panels [panel][k][tile width]; ks or js is 1.
    /// </summary>
    internal static void Pack(float* panels, float* source, nint ks, nint js, int k, int columns)
    {
        for (int j0 = 0; j0 < columns; j0 += Panel, panels += (long)Panel * k)
        {
            int width = Math.Min(Panel, columns - j0);
            float* from = source + j0 * js;
            if (width < Panel)
                Unsafe.InitBlockUnaligned(panels, 0, (uint)(Panel * k * sizeof(float)));
            if (ks == 1)
                Transpose.Copy(panels, Panel, from, js, width, k);
            else
                for (int i = 0; i < k; i++)
                {
                    if (Sse.IsSupported)
                        Sse.Prefetch0(from + (i + Ahead) * ks);
                    CopyRow(panels + i * Panel, from + i * ks, width);
                }
        }
    }

    internal static void Nt(Mat y, Mat x, Weight w, in Epilogue e) =>
        Split(new Product(y, x, default, w.ForwardPanels, e, false));

    internal static void Nn(Mat dx, Mat dy, Weight w, in Epilogue e) =>
        Split(new Product(dx, dy, default, w.BackwardPanels, e, false));

    /// <summary>
    /// dw (+)= dy^T x: dy's columns are A's rows, a panel of B is a few columns of x. Small operands are read in place;
    /// large ones are packed, x once and dy block by block.
    /// </summary>
    internal static void Tn(Mat dw, Mat dy, Mat x, bool accumulate) =>
        Split(new Product(dw, dy, x, null, Epilogue.None, accumulate));

    /// <summary>Operands of c = A B. Panels is null for dW, whose B is the matrix B.</summary>
    private readonly struct Product(Mat c, Mat a, Mat b, float* panels, in Epilogue epilogue, bool accumulate)
    {
        public readonly Mat C = c;
        public readonly Mat A = a;
        public readonly Mat B = b;
        public readonly float* Panels = panels;
        public readonly Epilogue Epilogue = epilogue;
        public readonly bool Accumulate = accumulate;
    }

    /// <summary>A team of threads shares c's columns, whole panels each.</summary>
    private static void Split(in Product p)
    {
        int panels = (p.C.Cols + Panel - 1) / Panel;
        int parts = Team.PartsFor(panels);
        if (parts == 1)
            Columns(p, 0, p.C.Cols);
        else
            Team.Run(
                parts,
                (Product: p, Panels: panels, Parts: parts),
                static (i, _, s) =>
                    Columns(
                        s.Product,
                        s.Panels * i / s.Parts * Panel,
                        Math.Min(s.Product.C.Cols, s.Panels * (i + 1) / s.Parts * Panel)
                    )
            );
    }

    private static void Columns(in Product p, int j0, int j1)
    {
        if (p.Panels != null)
            Rows(p, j0, j1);
        else if (Math.Min(p.A.Cols, p.B.Cols) >= PackFrom)
            PackedRowSums(p, j0, j1);
        else
        {
            int k = p.A.Rows;
            int depth = Even(k, SliceK);
            for (int k0 = 0; k0 < k; k0 += depth)
                Strips(
                    p.C,
                    0,
                    p.C.Rows,
                    j0,
                    j1,
                    p.A.Row(k0),
                    1,
                    p.A.Cols,
                    4,
                    Math.Min(depth, k - k0),
                    p.B.Row(k0) + j0,
                    p.B.Cols,
                    Panel,
                    p.Accumulate || k0 > 0,
                    Epilogue.None
                );
        }
    }

    /// <summary>
    /// Weights are packed, A is read in place, unless its rows lie whole pages apart: a tile's rows would then share a
    /// set of the first-level cache, and the block is packed instead. A chain longer than BlockK rests in c meanwhile.
    /// </summary>
    private static void Rows(in Product p, int j0, int j1)
    {
        int k = p.A.Cols;
        int depth = Even(k, BlockK);
        int height = HeightOf(depth, p.C.Rows);
        float* block = k % PageFloats == 0 ? Scratch.Floats(ScratchUse.Pack, (long)(height + 4) * depth) : null;
        for (int i0 = 0; i0 < p.C.Rows; i0 += height)
        for (int k0 = 0; k0 < k; k0 += depth)
        {
            int d = Math.Min(depth, k - k0);
            int rows = Math.Min(height, p.C.Rows - i0);
            float* a = p.A.Row(i0) + k0;
            float* panels = p.Panels + (long)j0 * k + (long)k0 * Panel;
            Epilogue e = k0 + d == k ? p.Epilogue : Epilogue.None;
            if (block == null)
                Strips(p.C, i0, rows, j0, j1, a, k, 1, 4 * k, d, panels, Panel, (long)k * Panel, k0 > 0, e);
            else
            {
                PackRows(block, a, k, rows, d);
                Strips(p.C, i0, rows, j0, j1, block, 1, 4, 4 * d, d, panels, Panel, (long)k * Panel, k0 > 0, e);
            }
        }
    }

    private static void PackedRowSums(in Product p, int j0, int j1)
    {
        int k = p.A.Rows;
        int depth = Even(k, SliceK);
        int height = HeightOf(depth, p.C.Rows);
        long panelFloats = PanelFloats(depth, j1 - j0);
        float* panels = Scratch.Floats(ScratchUse.Pack, panelFloats + (long)(height + 4) * depth);
        float* block = panels + panelFloats;
        for (int k0 = 0; k0 < k; k0 += depth)
        {
            int d = Math.Min(depth, k - k0);
            Pack(panels, p.B.Row(k0) + j0, p.B.Cols, 1, d, j1 - j0);
            for (int i0 = 0; i0 < p.C.Rows; i0 += height)
            {
                int rows = Math.Min(height, p.C.Rows - i0);
                PackColumns(block, p.A.Row(k0) + i0, p.A.Cols, rows, d);
                Strips(
                    p.C,
                    i0,
                    rows,
                    j0,
                    j1,
                    block,
                    1,
                    4,
                    4 * d,
                    d,
                    panels,
                    Panel,
                    (long)d * Panel,
                    p.Accumulate || k0 > 0,
                    Epilogue.None
                );
            }
        }
    }

    /// <summary>
    /// Rows [i0, i0 + rows) and columns [j0, j1) of c, panel by panel: strip = (c's strip or 0) + A x panel, then the
    /// epilogue to c. A's strides are those of <see cref="GemmTile"/>, B's rows are bks apart, its panels panelStride.
    /// Where nothing follows the product, tiles write to c themselves.
    /// </summary>
    [SkipLocalsInit]
    private static void Strips(
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
            PackFew(few, a + rows / 4 * ags, ars, aks, last, depth);
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
                    CopyRow(strip + i * Panel, c.Row(i0 + i) + j, width);
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
    private static void Tile(
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
                GemmTile.Tile12x2<V, L>(c, ldc, a, ars, aks, ags, b, bks, k, load, next, step, far, ldf);
            else if (rows == 8)
                GemmTile.Tile8x2<V, L>(c, ldc, a, ars, aks, ags, b, bks, k, load, next, step, far, ldf);
            else
                GemmTile.Tile4x2<V, L>(c, ldc, a, ars, aks, ags, b, bks, k, load, next, step, far, ldf);
        }
        else if (lanes == 2 * L.Count)
            GemmTile.Tile4x2<V, L>(c, ldc, a, ars, aks, ags, b, bks, k, load, next, step, far, ldf);
        else
            GemmTile.Tile4x3<V, L>(c, ldc, a, ars, aks, ags, b, bks, k, load, next, step, far, ldf);
    }

    /// <summary>
    /// c[rows, width] = chains over k of A, read in place (element (i, k) at i * ars + k * aks), and rows of b that can
    /// be read to a whole vector: for attention's small products. A last group of fewer than four rows is computed
    /// together with the rows before it, again: the same bits.
    /// </summary>
    [SkipLocalsInit]
    internal static void Small(
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
            PackFew(few, a, ars, aks, rows, k);
            a = few;
            (ars, aks, rows) = (1, 4, 4);
        }
        for (int j = 0; j < width; j += Panel)
        {
            int w = Math.Min(Panel, width - j);
            int lanes = (w + L.Count - 1) / L.Count * L.Count;
            for (int i = 0; i < rows; i += Height)
            {
                int h = Math.Min(Height, rows - i);
                if (h >= 4)
                    h = h / 4 * 4;
                else
                    (i, h) = (rows - 4, 4);
                if (w == lanes && all == rows)
                    Tile(
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
                    Tile(tile, Panel, a + i * ars, ars, aks, 4 * ars, b + j, bks, h, lanes, k, false, b, 0, b, 0);
                    for (int r = 0; r < Math.Min(h, all - i); r++)
                        CopyRow(c + (i + r) * ldc + j, tile + r * Panel, w);
                }
                if (h < Height)
                    i += h - Height; // the loop goes on after these rows
            }
        }
    }

    /// <summary>Fewer than four rows of A as a group of four, [k][4], padded with zeros.</summary>
    private static void PackFew(float* group, float* a, nint ars, nint aks, int rows, int k)
    {
        for (int t = 0; t < k; t++)
        for (int i = 0; i < 4; i++)
            group[t * 4 + i] = i < rows ? a[i * ars + t * aks] : 0f;
    }

    /// <summary>Rows of A as groups of four, [group][k][4].</summary>
    private static void PackRows(float* block, float* a, nint lda, int rows, int k)
    {
        for (int i = 0; i < rows; i += 4, block += 4 * k)
            Transpose.Copy(block, 4, a + i * lda, lda, Math.Min(4, rows - i), k);
    }

    /// <summary>
    /// Columns of a matrix as rows of A: groups of four, [group][k][4], the last one padded with zeros.
    /// </summary>
    private static void PackColumns(float* block, float* a, nint lda, int rows, int k)
    {
        int i = 0;
        // four groups at a time: a line of dy is read once
        for (; i + 16 <= rows; i += 16, block += 16 * k)
        for (int t = 0; t < k; t++)
        {
            float* from = a + t * lda + i;
            float* to = block + t * 4;
            if (Sse.IsSupported)
                Sse.Prefetch0(from + Ahead * lda);
            Vector128.Load(from).Store(to);
            Vector128.Load(from + 4).Store(to + 4 * k);
            Vector128.Load(from + 8).Store(to + 8 * k);
            Vector128.Load(from + 12).Store(to + 12 * k);
        }
        for (; i < rows; i += 4, block += 4 * k)
        for (int t = 0; t < k; t++)
        for (int r = 0; r < 4; r++)
            block[t * 4 + r] = i + r < rows ? a[t * lda + i + r] : 0f;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void CopyRow(float* to, float* from, int n)
    {
        int j = 0;
        for (; j + L.Count <= n; j += L.Count)
            L.Store(L.Load(from + j), to + j);
        for (; j < n; j++)
            to[j] = from[j];
    }

    /// <summary>The length of equal parts, none longer than most.</summary>
    private static int Even(int n, int most)
    {
        int parts = (n + most - 1) / most;
        return (n + parts - 1) / parts;
    }

    /// <summary>Rows of a block that is depth deep: equal parts of all rows, whole tiles.</summary>
    private static int HeightOf(int depth, int rows)
    {
        int even = Even(rows, Math.Max(Height, BlockFloats / depth / Height * Height));
        return (even + Height - 1) / Height * Height;
    }
}
