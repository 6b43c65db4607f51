using System.Runtime.Intrinsics.X86;
using LutNative.Model.Numerics;

namespace LutNative.Model.Ops;

/// <summary>The tiles that need 32 registers (512 bits); what they compute is said at <see cref="GemmTile"/>.</summary>
internal static unsafe class GemmTallTile
{
    /// <summary>12 rows by 2 vectors: 24 accumulators.</summary>
    internal static void Tile12x2<V, L>(
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
        V c4a = c0a;
        V c5a = c0a;
        V c6a = c0a;
        V c7a = c0a;
        V c8a = c0a;
        V c9a = c0a;
        V c10a = c0a;
        V c11a = c0a;
        V c0b = c0a;
        V c1b = c0a;
        V c2b = c0a;
        V c3b = c0a;
        V c4b = c0a;
        V c5b = c0a;
        V c6b = c0a;
        V c7b = c0a;
        V c8b = c0a;
        V c9b = c0a;
        V c10b = c0a;
        V c11b = c0a;
        if (load)
        {
            float* p = c;
            // csharpier-ignore-start - a table
            c0a = L.Load(p); c0b = L.Load(p + L.Count); p += ldc;
            c1a = L.Load(p); c1b = L.Load(p + L.Count); p += ldc;
            c2a = L.Load(p); c2b = L.Load(p + L.Count); p += ldc;
            c3a = L.Load(p); c3b = L.Load(p + L.Count); p += ldc;
            c4a = L.Load(p); c4b = L.Load(p + L.Count); p += ldc;
            c5a = L.Load(p); c5b = L.Load(p + L.Count); p += ldc;
            c6a = L.Load(p); c6b = L.Load(p + L.Count); p += ldc;
            c7a = L.Load(p); c7b = L.Load(p + L.Count); p += ldc;
            c8a = L.Load(p); c8b = L.Load(p + L.Count); p += ldc;
            c9a = L.Load(p); c9b = L.Load(p + L.Count); p += ldc;
            c10a = L.Load(p); c10b = L.Load(p + L.Count); p += ldc;
            c11a = L.Load(p); c11b = L.Load(p + L.Count);
            // csharpier-ignore-end
        }
        nint ars2 = 2 * ars;
        nint ars3 = 3 * ars;
        float* a4 = a + ags;
        float* a8 = a + 2 * ags;
        nint turn = Math.Max(1, k / 12);
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
                x = L.Set(*a4); c4a = L.Fma(x, b0, c4a); c4b = L.Fma(x, b1, c4b);
                x = L.Set(a4[ars]); c5a = L.Fma(x, b0, c5a); c5b = L.Fma(x, b1, c5b);
                x = L.Set(a4[ars2]); c6a = L.Fma(x, b0, c6a); c6b = L.Fma(x, b1, c6b);
                x = L.Set(a4[ars3]); c7a = L.Fma(x, b0, c7a); c7b = L.Fma(x, b1, c7b);
                x = L.Set(*a8); c8a = L.Fma(x, b0, c8a); c8b = L.Fma(x, b1, c8b);
                x = L.Set(a8[ars]); c9a = L.Fma(x, b0, c9a); c9b = L.Fma(x, b1, c9b);
                x = L.Set(a8[ars2]); c10a = L.Fma(x, b0, c10a); c10b = L.Fma(x, b1, c10b);
                x = L.Set(a8[ars3]); c11a = L.Fma(x, b0, c11a); c11b = L.Fma(x, b1, c11b);
                a += aks; a4 += aks; a8 += aks; b += bks; ahead += aheadStep;
                // csharpier-ignore-end
            }
        }
        V zero = L.Set(0f);
        // csharpier-ignore-start - a table
        L.Store(L.Add(c0a, zero), c); L.Store(L.Add(c0b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c1a, zero), c); L.Store(L.Add(c1b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c2a, zero), c); L.Store(L.Add(c2b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c3a, zero), c); L.Store(L.Add(c3b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c4a, zero), c); L.Store(L.Add(c4b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c5a, zero), c); L.Store(L.Add(c5b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c6a, zero), c); L.Store(L.Add(c6b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c7a, zero), c); L.Store(L.Add(c7b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c8a, zero), c); L.Store(L.Add(c8b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c9a, zero), c); L.Store(L.Add(c9b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c10a, zero), c); L.Store(L.Add(c10b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c11a, zero), c); L.Store(L.Add(c11b, zero), c + L.Count);
        // csharpier-ignore-end
    }

    /// <summary>8 rows by 2 vectors: 16 accumulators.</summary>
    internal static void Tile8x2<V, L>(
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
        V c4a = c0a;
        V c5a = c0a;
        V c6a = c0a;
        V c7a = c0a;
        V c0b = c0a;
        V c1b = c0a;
        V c2b = c0a;
        V c3b = c0a;
        V c4b = c0a;
        V c5b = c0a;
        V c6b = c0a;
        V c7b = c0a;
        if (load)
        {
            float* p = c;
            // csharpier-ignore-start - a table
            c0a = L.Load(p); c0b = L.Load(p + L.Count); p += ldc;
            c1a = L.Load(p); c1b = L.Load(p + L.Count); p += ldc;
            c2a = L.Load(p); c2b = L.Load(p + L.Count); p += ldc;
            c3a = L.Load(p); c3b = L.Load(p + L.Count); p += ldc;
            c4a = L.Load(p); c4b = L.Load(p + L.Count); p += ldc;
            c5a = L.Load(p); c5b = L.Load(p + L.Count); p += ldc;
            c6a = L.Load(p); c6b = L.Load(p + L.Count); p += ldc;
            c7a = L.Load(p); c7b = L.Load(p + L.Count);
            // csharpier-ignore-end
        }
        nint ars2 = 2 * ars;
        nint ars3 = 3 * ars;
        float* a4 = a + ags;
        nint turn = Math.Max(1, k / 8);
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
                x = L.Set(*a4); c4a = L.Fma(x, b0, c4a); c4b = L.Fma(x, b1, c4b);
                x = L.Set(a4[ars]); c5a = L.Fma(x, b0, c5a); c5b = L.Fma(x, b1, c5b);
                x = L.Set(a4[ars2]); c6a = L.Fma(x, b0, c6a); c6b = L.Fma(x, b1, c6b);
                x = L.Set(a4[ars3]); c7a = L.Fma(x, b0, c7a); c7b = L.Fma(x, b1, c7b);
                a += aks; a4 += aks; b += bks; ahead += aheadStep;
                // csharpier-ignore-end
            }
        }
        V zero = L.Set(0f);
        // csharpier-ignore-start - a table
        L.Store(L.Add(c0a, zero), c); L.Store(L.Add(c0b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c1a, zero), c); L.Store(L.Add(c1b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c2a, zero), c); L.Store(L.Add(c2b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c3a, zero), c); L.Store(L.Add(c3b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c4a, zero), c); L.Store(L.Add(c4b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c5a, zero), c); L.Store(L.Add(c5b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c6a, zero), c); L.Store(L.Add(c6b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c7a, zero), c); L.Store(L.Add(c7b, zero), c + L.Count);
        // csharpier-ignore-end
    }
}
