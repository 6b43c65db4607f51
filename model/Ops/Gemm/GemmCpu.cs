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
    private const int SliceK = GemmStrip<V, L>.SliceK;
    private const int BlockK = 1024;

    /// <summary>Floats of a block of A: half the second-level cache.</summary>
    private static readonly int BlockFloats = (int)(Caches.Second / 2 / sizeof(float));

    /// <summary>dW packs its operands where both are at least so wide.</summary>
    private const int PackFrom = 384;

    /// <summary>Rows so far apart, or a multiple of it, fall on each other in the first-level cache.</summary>
    private const int PageFloats = 1024;

    private static int Panel => GemmPacking<V, L>.Panel;
    private static int Height => GemmStrip<V, L>.Height;

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
            int depth = GemmStrip<V, L>.Even(k, SliceK);
            for (int k0 = 0; k0 < k; k0 += depth)
                GemmStrip<V, L>.Run(
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
        int depth = GemmStrip<V, L>.Even(k, BlockK);
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
                GemmStrip<V, L>.Run(
                    p.C,
                    i0,
                    rows,
                    j0,
                    j1,
                    a,
                    k,
                    1,
                    4 * k,
                    d,
                    panels,
                    Panel,
                    (long)k * Panel,
                    k0 > 0,
                    e
                );
            else
            {
                GemmPacking<V, L>.PackRows(block, a, k, rows, d);
                GemmStrip<V, L>.Run(
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
                    (long)k * Panel,
                    k0 > 0,
                    e
                );
            }
        }
    }

    private static void PackedRowSums(in Product p, int j0, int j1)
    {
        int k = p.A.Rows;
        int depth = GemmStrip<V, L>.Even(k, SliceK);
        int height = HeightOf(depth, p.C.Rows);
        long panelFloats = GemmPacking<V, L>.PanelFloats(depth, j1 - j0);
        float* panels = Scratch.Floats(ScratchUse.Pack, panelFloats + (long)(height + 4) * depth);
        float* block = panels + panelFloats;
        for (int k0 = 0; k0 < k; k0 += depth)
        {
            int d = Math.Min(depth, k - k0);
            GemmPacking<V, L>.Pack(panels, p.B.Row(k0) + j0, p.B.Cols, 1, d, j1 - j0);
            for (int i0 = 0; i0 < p.C.Rows; i0 += height)
            {
                int rows = Math.Min(height, p.C.Rows - i0);
                GemmPacking<V, L>.PackColumns(block, p.A.Row(k0) + i0, p.A.Cols, rows, d);
                GemmStrip<V, L>.Run(
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

    /// <summary>Rows of a block that is depth deep: equal parts of all rows, whole tiles.</summary>
    private static int HeightOf(int depth, int rows)
    {
        int even = GemmStrip<V, L>.Even(rows, Math.Max(Height, BlockFloats / depth / Height * Height));
        return (even + Height - 1) / Height * Height;
    }
}
