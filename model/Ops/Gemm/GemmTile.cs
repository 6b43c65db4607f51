using System.Runtime.Intrinsics.X86;
using LutNative.Model.Numerics;

namespace LutNative.Model.Ops;

/// <summary>
/// The register tiles under every matrix product: c[i, j] = one chain of fused multiply-adds over ascending k, starting
/// from +0 (or from c when a longer chain was cut, <c>load</c>), ending with + (+0). Rows come in groups of four:
/// element (i, k) of A lies at (i % 4) * ars + (i / 4) * ags + k * aks, so packed groups, a plain matrix and its
/// transpose use the same code; B's rows are bks apart. On the way a tile asks for memory that comes later: a linear
/// range (ahead, aheadStep bytes further each k) and rows of the next tile (far, ldf apart), a little at a time, since
/// a burst of requests would hold up the tile's own loads. Accumulators are named locals so that they stay in
/// registers: 24 + 2 + 1 of 32 for 512 bits, 12 + 3 + 1 of 16 for the others.
/// </summary>
internal static unsafe class GemmTile
{
    /// <summary>4 rows by 3 vectors: 12 accumulators.</summary>
    internal static void Tile4x3<V, L>(
        float* c,
        nint ldc,
        float* a,
        nint ars,
        nint aks,
        nint ags,
        float* b,
        nint bks,
        nint k,
        bool load,
        byte* ahead,
        nint aheadStep,
        float* far,
        nint ldf
    )
        where V : unmanaged
        where L : struct, ILanes<V>
    {
        V c0a = L.Set(0f);
        V c1a = c0a;
        V c2a = c0a;
        V c3a = c0a;
        V c0b = c0a;
        V c1b = c0a;
        V c2b = c0a;
        V c3b = c0a;
        V c0c = c0a;
        V c1c = c0a;
        V c2c = c0a;
        V c3c = c0a;
        if (load)
        {
            float* p = c;
            // csharpier-ignore-start - a table
            c0a = L.Load(p); c0b = L.Load(p + L.Count); c0c = L.Load(p + 2 * L.Count); p += ldc;
            c1a = L.Load(p); c1b = L.Load(p + L.Count); c1c = L.Load(p + 2 * L.Count); p += ldc;
            c2a = L.Load(p); c2b = L.Load(p + L.Count); c2c = L.Load(p + 2 * L.Count); p += ldc;
            c3a = L.Load(p); c3b = L.Load(p + L.Count); c3c = L.Load(p + 2 * L.Count);
            // csharpier-ignore-end
        }
        nint ars2 = 2 * ars;
        nint ars3 = 3 * ars;
        nint turn = Math.Max(1, k / 4);
        while (k > 0)
        {
            if (Sse.IsSupported)
            {
                Sse.Prefetch0(far);
                Sse.Prefetch0(far + 16);
            }
            far += ldf;
            nint stop = Math.Max(0, k - turn);
            for (; k > stop; k--)
            {
                if (Sse.IsSupported)
                    Sse.Prefetch1(ahead);
                V b0 = L.Load(b);
                V b1 = L.Load(b + L.Count);
                V b2 = L.Load(b + 2 * L.Count);
                V x;
                // csharpier-ignore-start - a table
                x = L.Set(*a); c0a = L.Fma(x, b0, c0a); c0b = L.Fma(x, b1, c0b); c0c = L.Fma(x, b2, c0c);
                x = L.Set(a[ars]); c1a = L.Fma(x, b0, c1a); c1b = L.Fma(x, b1, c1b); c1c = L.Fma(x, b2, c1c);
                x = L.Set(a[ars2]); c2a = L.Fma(x, b0, c2a); c2b = L.Fma(x, b1, c2b); c2c = L.Fma(x, b2, c2c);
                x = L.Set(a[ars3]); c3a = L.Fma(x, b0, c3a); c3b = L.Fma(x, b1, c3b); c3c = L.Fma(x, b2, c3c);
                a += aks; b += bks; ahead += aheadStep;
                // csharpier-ignore-end
            }
        }
        V zero = L.Set(0f);
        // csharpier-ignore-start - a table
        L.Store(L.Add(c0a, zero), c); L.Store(L.Add(c0b, zero), c + L.Count); L.Store(L.Add(c0c, zero), c + 2 * L.Count); c += ldc;
        L.Store(L.Add(c1a, zero), c); L.Store(L.Add(c1b, zero), c + L.Count); L.Store(L.Add(c1c, zero), c + 2 * L.Count); c += ldc;
        L.Store(L.Add(c2a, zero), c); L.Store(L.Add(c2b, zero), c + L.Count); L.Store(L.Add(c2c, zero), c + 2 * L.Count); c += ldc;
        L.Store(L.Add(c3a, zero), c); L.Store(L.Add(c3b, zero), c + L.Count); L.Store(L.Add(c3c, zero), c + 2 * L.Count);
        // csharpier-ignore-end
    }

    /// <summary>4 rows by 2 vectors: 8 accumulators.</summary>
    internal static void Tile4x2<V, L>(
        float* c,
        nint ldc,
        float* a,
        nint ars,
        nint aks,
        nint ags,
        float* b,
        nint bks,
        nint k,
        bool load,
        byte* ahead,
        nint aheadStep,
        float* far,
        nint ldf
    )
        where V : unmanaged
        where L : struct, ILanes<V>
    {
        V c0a = L.Set(0f);
        V c1a = c0a;
        V c2a = c0a;
        V c3a = c0a;
        V c0b = c0a;
        V c1b = c0a;
        V c2b = c0a;
        V c3b = c0a;
        if (load)
        {
            float* p = c;
            // csharpier-ignore-start - a table
            c0a = L.Load(p); c0b = L.Load(p + L.Count); p += ldc;
            c1a = L.Load(p); c1b = L.Load(p + L.Count); p += ldc;
            c2a = L.Load(p); c2b = L.Load(p + L.Count); p += ldc;
            c3a = L.Load(p); c3b = L.Load(p + L.Count);
            // csharpier-ignore-end
        }
        nint ars2 = 2 * ars;
        nint ars3 = 3 * ars;
        nint turn = Math.Max(1, k / 4);
        while (k > 0)
        {
            if (Sse.IsSupported)
            {
                Sse.Prefetch0(far);
                Sse.Prefetch0(far + 16);
            }
            far += ldf;
            nint stop = Math.Max(0, k - turn);
            for (; k > stop; k--)
            {
                if (Sse.IsSupported)
                    Sse.Prefetch1(ahead);
                V b0 = L.Load(b);
                V b1 = L.Load(b + L.Count);
                V x;
                // csharpier-ignore-start - a table
                x = L.Set(*a); c0a = L.Fma(x, b0, c0a); c0b = L.Fma(x, b1, c0b);
                x = L.Set(a[ars]); c1a = L.Fma(x, b0, c1a); c1b = L.Fma(x, b1, c1b);
                x = L.Set(a[ars2]); c2a = L.Fma(x, b0, c2a); c2b = L.Fma(x, b1, c2b);
                x = L.Set(a[ars3]); c3a = L.Fma(x, b0, c3a); c3b = L.Fma(x, b1, c3b);
                a += aks; b += bks; ahead += aheadStep;
                // csharpier-ignore-end
            }
        }
        V zero = L.Set(0f);
        // csharpier-ignore-start - a table
        L.Store(L.Add(c0a, zero), c); L.Store(L.Add(c0b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c1a, zero), c); L.Store(L.Add(c1b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c2a, zero), c); L.Store(L.Add(c2b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c3a, zero), c); L.Store(L.Add(c3b, zero), c + L.Count);
        // csharpier-ignore-end
    }

    /// <summary>4 rows by 1 vector: 4 accumulators.</summary>
    internal static void Tile4x1<V, L>(
        float* c,
        nint ldc,
        float* a,
        nint ars,
        nint aks,
        nint ags,
        float* b,
        nint bks,
        nint k,
        bool load,
        byte* ahead,
        nint aheadStep,
        float* far,
        nint ldf
    )
        where V : unmanaged
        where L : struct, ILanes<V>
    {
        V c0a = L.Set(0f);
        V c1a = c0a;
        V c2a = c0a;
        V c3a = c0a;
        if (load)
        {
            float* p = c;
            // csharpier-ignore-start - a table
            c0a = L.Load(p); p += ldc;
            c1a = L.Load(p); p += ldc;
            c2a = L.Load(p); p += ldc;
            // csharpier-ignore-end
            c3a = L.Load(p);
        }
        nint ars2 = 2 * ars;
        nint ars3 = 3 * ars;
        nint turn = Math.Max(1, k / 4);
        while (k > 0)
        {
            if (Sse.IsSupported)
            {
                Sse.Prefetch0(far);
            }
            far += ldf;
            nint stop = Math.Max(0, k - turn);
            for (; k > stop; k--)
            {
                if (Sse.IsSupported)
                    Sse.Prefetch1(ahead);
                V b0 = L.Load(b);
                V x;
                // csharpier-ignore-start - a table
                x = L.Set(*a); c0a = L.Fma(x, b0, c0a);
                x = L.Set(a[ars]); c1a = L.Fma(x, b0, c1a);
                x = L.Set(a[ars2]); c2a = L.Fma(x, b0, c2a);
                x = L.Set(a[ars3]); c3a = L.Fma(x, b0, c3a);
                a += aks; b += bks; ahead += aheadStep;
                // csharpier-ignore-end
            }
        }
        V zero = L.Set(0f);
        // csharpier-ignore-start - a table
        L.Store(L.Add(c0a, zero), c); c += ldc;
        L.Store(L.Add(c1a, zero), c); c += ldc;
        L.Store(L.Add(c2a, zero), c); c += ldc;
        // csharpier-ignore-end
        L.Store(L.Add(c3a, zero), c);
    }
}
