using LutNative.Model.Numerics;

namespace LutNative.Model.Ops;

/// <summary>
/// The register tiles under every matrix product: c[i, j] = one chain of fused multiply-adds over ascending k, starting from
/// +0 (or from c when a longer chain was cut, <c>load</c>), ending with + (+0). A is read in place with a row stride
/// <c>ars</c> and a k stride <c>aks</c>, B rows are <c>bks</c> apart: packed panels and plain matrices use the same code.
/// Accumulators are named locals so that they stay in registers: 24 + 2 + 1 of 32 for 512 bits, 12 + 2 + 1 of 16 for 256.
/// </summary>
internal static unsafe class GemmTile
{
    /// <summary>12 rows by 2 vectors: 24 accumulators.</summary>
    internal static void Tile12x2<V, L>(float* c, nint ldc, float* a, nint ars, nint aks, float* b, nint bks, nint k, bool load)
        where V : unmanaged where L : struct, ILanes<V>
    {
        V c0a = L.Set(0f), c1a = c0a, c2a = c0a, c3a = c0a, c4a = c0a, c5a = c0a, c6a = c0a, c7a = c0a, c8a = c0a, c9a = c0a, c10a = c0a, c11a = c0a;
        V c0b = c0a, c1b = c0a, c2b = c0a, c3b = c0a, c4b = c0a, c5b = c0a, c6b = c0a, c7b = c0a, c8b = c0a, c9b = c0a, c10b = c0a, c11b = c0a;
        if (load)
        {
            float* p = c;
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
        }
        nint ars2 = 2 * ars;
        float* a3 = a + 3 * ars;
        float* a6 = a + 6 * ars;
        float* a9 = a + 9 * ars;
        for (; k > 0; k--)
        {
            V b0 = L.Load(b), b1 = L.Load(b + L.Count), x;
            x = L.Set(*a); c0a = L.Fma(x, b0, c0a); c0b = L.Fma(x, b1, c0b);
            x = L.Set(a[ars]); c1a = L.Fma(x, b0, c1a); c1b = L.Fma(x, b1, c1b);
            x = L.Set(a[ars2]); c2a = L.Fma(x, b0, c2a); c2b = L.Fma(x, b1, c2b);
            x = L.Set(*a3); c3a = L.Fma(x, b0, c3a); c3b = L.Fma(x, b1, c3b);
            x = L.Set(a3[ars]); c4a = L.Fma(x, b0, c4a); c4b = L.Fma(x, b1, c4b);
            x = L.Set(a3[ars2]); c5a = L.Fma(x, b0, c5a); c5b = L.Fma(x, b1, c5b);
            x = L.Set(*a6); c6a = L.Fma(x, b0, c6a); c6b = L.Fma(x, b1, c6b);
            x = L.Set(a6[ars]); c7a = L.Fma(x, b0, c7a); c7b = L.Fma(x, b1, c7b);
            x = L.Set(a6[ars2]); c8a = L.Fma(x, b0, c8a); c8b = L.Fma(x, b1, c8b);
            x = L.Set(*a9); c9a = L.Fma(x, b0, c9a); c9b = L.Fma(x, b1, c9b);
            x = L.Set(a9[ars]); c10a = L.Fma(x, b0, c10a); c10b = L.Fma(x, b1, c10b);
            x = L.Set(a9[ars2]); c11a = L.Fma(x, b0, c11a); c11b = L.Fma(x, b1, c11b);
            a += aks; a3 += aks; a6 += aks; a9 += aks; b += bks;
        }
        V zero = L.Set(0f);
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
    }

    /// <summary>6 rows by 2 vectors: 12 accumulators.</summary>
    internal static void Tile6x2<V, L>(float* c, nint ldc, float* a, nint ars, nint aks, float* b, nint bks, nint k, bool load)
        where V : unmanaged where L : struct, ILanes<V>
    {
        V c0a = L.Set(0f), c1a = c0a, c2a = c0a, c3a = c0a, c4a = c0a, c5a = c0a;
        V c0b = c0a, c1b = c0a, c2b = c0a, c3b = c0a, c4b = c0a, c5b = c0a;
        if (load)
        {
            float* p = c;
            c0a = L.Load(p); c0b = L.Load(p + L.Count); p += ldc;
            c1a = L.Load(p); c1b = L.Load(p + L.Count); p += ldc;
            c2a = L.Load(p); c2b = L.Load(p + L.Count); p += ldc;
            c3a = L.Load(p); c3b = L.Load(p + L.Count); p += ldc;
            c4a = L.Load(p); c4b = L.Load(p + L.Count); p += ldc;
            c5a = L.Load(p); c5b = L.Load(p + L.Count);
        }
        nint ars2 = 2 * ars;
        float* a3 = a + 3 * ars;
        for (; k > 0; k--)
        {
            V b0 = L.Load(b), b1 = L.Load(b + L.Count), x;
            x = L.Set(*a); c0a = L.Fma(x, b0, c0a); c0b = L.Fma(x, b1, c0b);
            x = L.Set(a[ars]); c1a = L.Fma(x, b0, c1a); c1b = L.Fma(x, b1, c1b);
            x = L.Set(a[ars2]); c2a = L.Fma(x, b0, c2a); c2b = L.Fma(x, b1, c2b);
            x = L.Set(*a3); c3a = L.Fma(x, b0, c3a); c3b = L.Fma(x, b1, c3b);
            x = L.Set(a3[ars]); c4a = L.Fma(x, b0, c4a); c4b = L.Fma(x, b1, c4b);
            x = L.Set(a3[ars2]); c5a = L.Fma(x, b0, c5a); c5b = L.Fma(x, b1, c5b);
            a += aks; a3 += aks; b += bks;
        }
        V zero = L.Set(0f);
        L.Store(L.Add(c0a, zero), c); L.Store(L.Add(c0b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c1a, zero), c); L.Store(L.Add(c1b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c2a, zero), c); L.Store(L.Add(c2b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c3a, zero), c); L.Store(L.Add(c3b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c4a, zero), c); L.Store(L.Add(c4b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c5a, zero), c); L.Store(L.Add(c5b, zero), c + L.Count);
    }

    /// <summary>4 rows by 2 vectors: 8 accumulators.</summary>
    internal static void Tile4x2<V, L>(float* c, nint ldc, float* a, nint ars, nint aks, float* b, nint bks, nint k, bool load)
        where V : unmanaged where L : struct, ILanes<V>
    {
        V c0a = L.Set(0f), c1a = c0a, c2a = c0a, c3a = c0a;
        V c0b = c0a, c1b = c0a, c2b = c0a, c3b = c0a;
        if (load)
        {
            float* p = c;
            c0a = L.Load(p); c0b = L.Load(p + L.Count); p += ldc;
            c1a = L.Load(p); c1b = L.Load(p + L.Count); p += ldc;
            c2a = L.Load(p); c2b = L.Load(p + L.Count); p += ldc;
            c3a = L.Load(p); c3b = L.Load(p + L.Count);
        }
        nint ars2 = 2 * ars;
        float* a3 = a + 3 * ars;
        for (; k > 0; k--)
        {
            V b0 = L.Load(b), b1 = L.Load(b + L.Count), x;
            x = L.Set(*a); c0a = L.Fma(x, b0, c0a); c0b = L.Fma(x, b1, c0b);
            x = L.Set(a[ars]); c1a = L.Fma(x, b0, c1a); c1b = L.Fma(x, b1, c1b);
            x = L.Set(a[ars2]); c2a = L.Fma(x, b0, c2a); c2b = L.Fma(x, b1, c2b);
            x = L.Set(*a3); c3a = L.Fma(x, b0, c3a); c3b = L.Fma(x, b1, c3b);
            a += aks; a3 += aks; b += bks;
        }
        V zero = L.Set(0f);
        L.Store(L.Add(c0a, zero), c); L.Store(L.Add(c0b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c1a, zero), c); L.Store(L.Add(c1b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c2a, zero), c); L.Store(L.Add(c2b, zero), c + L.Count); c += ldc;
        L.Store(L.Add(c3a, zero), c); L.Store(L.Add(c3b, zero), c + L.Count);
    }

    /// <summary>1 rows by 2 vectors: 2 accumulators.</summary>
    internal static void Tile1x2<V, L>(float* c, nint ldc, float* a, nint ars, nint aks, float* b, nint bks, nint k, bool load)
        where V : unmanaged where L : struct, ILanes<V>
    {
        V c0a = L.Set(0f);
        V c0b = c0a;
        if (load)
        {
            float* p = c;
            c0a = L.Load(p); c0b = L.Load(p + L.Count);
        }
        for (; k > 0; k--)
        {
            V b0 = L.Load(b), b1 = L.Load(b + L.Count), x;
            x = L.Set(*a); c0a = L.Fma(x, b0, c0a); c0b = L.Fma(x, b1, c0b);
            a += aks; b += bks;
        }
        V zero = L.Set(0f);
        L.Store(L.Add(c0a, zero), c); L.Store(L.Add(c0b, zero), c + L.Count);
    }

    /// <summary>4 rows by 1 vector: 4 accumulators.</summary>
    internal static void Tile4x1<V, L>(float* c, nint ldc, float* a, nint ars, nint aks, float* b, nint bks, nint k, bool load)
        where V : unmanaged where L : struct, ILanes<V>
    {
        V c0a = L.Set(0f), c1a = c0a, c2a = c0a, c3a = c0a;
        if (load)
        {
            float* p = c;
            c0a = L.Load(p); p += ldc;
            c1a = L.Load(p); p += ldc;
            c2a = L.Load(p); p += ldc;
            c3a = L.Load(p);
        }
        nint ars2 = 2 * ars;
        float* a3 = a + 3 * ars;
        for (; k > 0; k--)
        {
            V b0 = L.Load(b), x;
            x = L.Set(*a); c0a = L.Fma(x, b0, c0a);
            x = L.Set(a[ars]); c1a = L.Fma(x, b0, c1a);
            x = L.Set(a[ars2]); c2a = L.Fma(x, b0, c2a);
            x = L.Set(*a3); c3a = L.Fma(x, b0, c3a);
            a += aks; a3 += aks; b += bks;
        }
        V zero = L.Set(0f);
        L.Store(L.Add(c0a, zero), c); c += ldc;
        L.Store(L.Add(c1a, zero), c); c += ldc;
        L.Store(L.Add(c2a, zero), c); c += ldc;
        L.Store(L.Add(c3a, zero), c);
    }

    /// <summary>1 rows by 1 vector: 1 accumulators.</summary>
    internal static void Tile1x1<V, L>(float* c, nint ldc, float* a, nint ars, nint aks, float* b, nint bks, nint k, bool load)
        where V : unmanaged where L : struct, ILanes<V>
    {
        V c0a = L.Set(0f);
        if (load)
        {
            float* p = c;
            c0a = L.Load(p);
        }
        for (; k > 0; k--)
        {
            V b0 = L.Load(b), x;
            x = L.Set(*a); c0a = L.Fma(x, b0, c0a);
            a += aks; b += bks;
        }
        V zero = L.Set(0f);
        L.Store(L.Add(c0a, zero), c);
    }
}
