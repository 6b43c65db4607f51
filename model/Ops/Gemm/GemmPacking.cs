using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using LutNative.Model.Numerics;

namespace LutNative.Model.Ops;

/// <summary>Operands of a product copied to where tiles read them in order: panels of B, groups of four rows of A.</summary>
internal static unsafe class GemmPacking<V, L>
    where V : unmanaged
    where L : struct, ILanes<V>
{
    internal static int Panel => (L.Count == 16 ? 2 : 3) * L.Count;

    internal static long PanelFloats(int k, int columns) => (long)(columns + Panel - 1) / Panel * Panel * k;

    /// <summary>Rows that a packing loop asks for ahead.</summary>
    private const int Ahead = 24;

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

    /// <summary>Fewer than four rows of A as a group of four, [k][4], padded with zeros.</summary>
    internal static void PackFew(float* group, float* a, nint ars, nint aks, int rows, int k)
    {
        for (int t = 0; t < k; t++)
        for (int i = 0; i < 4; i++)
            group[t * 4 + i] = i < rows ? a[i * ars + t * aks] : 0f;
    }

    /// <summary>Rows of A as groups of four, [group][k][4].</summary>
    internal static void PackRows(float* block, float* a, nint lda, int rows, int k)
    {
        for (int i = 0; i < rows; i += 4, block += 4 * k)
            Transpose.Copy(block, 4, a + i * lda, lda, Math.Min(4, rows - i), k);
    }

    /// <summary>
    /// Columns of a matrix as rows of A: groups of four, [group][k][4], the last one padded with zeros.
    /// </summary>
    internal static void PackColumns(float* block, float* a, nint lda, int rows, int k)
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
}
