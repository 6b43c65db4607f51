using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LutNative.Model.Numerics;

/// <summary>
/// Sums along a row (NUMERICS rule 4): element j goes to virtual lane j mod 64 in ascending order, then halves are
/// folded 32, 16, 8, 4, 2, 1 and +0 is added. The oracle is <see cref="LaneSumOracle"/>.
/// </summary>
public static unsafe class LaneSum
{
    public const int Width = 64;

    /// <summary>Sum of n floats.</summary>
    [SkipLocalsInit]
    public static float Sum<V, L>(float* x, int n)
        where V : unmanaged
        where L : struct, ILanes<V>
    {
        float* lanes = stackalloc float[Width];
        int whole = n / Width * Width;
        for (int g = 0; g < Width; g += 4 * L.Count)
        {
            V a0 = L.Set(0f);
            V a1 = a0;
            V a2 = a0;
            V a3 = a0;
            float* p = x + g;
            for (int j = 0; j < whole; j += Width, p += Width)
            {
                a0 = L.Add(a0, L.Load(p));
                a1 = L.Add(a1, L.Load(p + L.Count));
                a2 = L.Add(a2, L.Load(p + 2 * L.Count));
                a3 = L.Add(a3, L.Load(p + 3 * L.Count));
            }
            Spill<V, L>(lanes + g, a0, a1, a2, a3);
        }
        int i = whole;
        for (; i + L.Count <= n; i += L.Count)
            L.Store(L.Add(L.Load(lanes + i - whole), L.Load(x + i)), lanes + i - whole);
        for (; i < n; i++)
            lanes[i - whole] += x[i];
        return Fold(lanes);
    }

    /// <summary>Dot product of two rows of n floats, each lane one chain of fused multiply-adds.</summary>
    [SkipLocalsInit]
    public static float Dot<V, L>(float* x, float* y, int n)
        where V : unmanaged
        where L : struct, ILanes<V>
    {
        float* lanes = stackalloc float[Width];
        int whole = n / Width * Width;
        for (int g = 0; g < Width; g += 4 * L.Count)
        {
            V a0 = L.Set(0f);
            V a1 = a0;
            V a2 = a0;
            V a3 = a0;
            float* p = x + g;
            float* q = y + g;
            for (int j = 0; j < whole; j += Width, p += Width, q += Width)
            {
                a0 = L.Fma(L.Load(p), L.Load(q), a0);
                a1 = L.Fma(L.Load(p + L.Count), L.Load(q + L.Count), a1);
                a2 = L.Fma(L.Load(p + 2 * L.Count), L.Load(q + 2 * L.Count), a2);
                a3 = L.Fma(L.Load(p + 3 * L.Count), L.Load(q + 3 * L.Count), a3);
            }
            Spill<V, L>(lanes + g, a0, a1, a2, a3);
        }
        int i = whole;
        for (; i + L.Count <= n; i += L.Count)
            L.Store(L.Fma(L.Load(x + i), L.Load(y + i), L.Load(lanes + i - whole)), lanes + i - whole);
        for (; i < n; i++)
            lanes[i - whole] = MathF.FusedMultiplyAdd(x[i], y[i], lanes[i - whole]);
        return Fold(lanes);
    }

    /// <summary>
    /// The largest of a vector's lanes by compare and select; the order cannot matter (of two zeros either may come
    /// out).
    /// </summary>
    [SkipLocalsInit]
    internal static float Largest<V, L>(V x)
        where V : unmanaged
        where L : struct, ILanes<V>
    {
        float* lanes = stackalloc float[L.Count];
        L.Store(x, lanes);
        var most = Vector128.Load(lanes);
        for (int i = 4; i < L.Count; i += 4)
        {
            var next = Vector128.Load(lanes + i);
            most = Vector128.ConditionalSelect(Vector128.GreaterThan(next, most), next, most);
        }
        float a = most[0];
        float b = most[1];
        float c = most[2];
        float d = most[3];
        a = b > a ? b : a;
        c = d > c ? d : c;
        return c > a ? c : a;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Spill<V, L>(float* lanes, V a0, V a1, V a2, V a3)
        where V : unmanaged
        where L : struct, ILanes<V>
    {
        L.Store(a0, lanes);
        L.Store(a1, lanes + L.Count);
        L.Store(a2, lanes + 2 * L.Count);
        L.Store(a3, lanes + 3 * L.Count);
    }

    /// <summary>The fixed tree over 64 lanes; vector additions of halves, so the width cannot matter.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Fold(float* lanes)
    {
        var a = Vector256.Load(lanes) + Vector256.Load(lanes + 32);
        var b = Vector256.Load(lanes + 8) + Vector256.Load(lanes + 40);
        var c = Vector256.Load(lanes + 16) + Vector256.Load(lanes + 48);
        var d = Vector256.Load(lanes + 24) + Vector256.Load(lanes + 56);
        a += c;
        b += d;
        a += b;
        var h = a.GetLower() + a.GetUpper();
        float s0 = h.GetElement(0) + h.GetElement(2);
        float s1 = h.GetElement(1) + h.GetElement(3);
        return s0 + s1 + 0f;
    }
}

/// <summary>The definition of rule 4, one float at a time.</summary>
public static class LaneSumOracle
{
    public static float Sum(ReadOnlySpan<float> x)
    {
        var lane = new float[64];
        for (int j = 0; j < x.Length; j++)
            lane[j % 64] += x[j];
        return Fold(lane);
    }

    public static float Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        var lane = new float[64];
        for (int j = 0; j < x.Length; j++)
            lane[j % 64] = MathF.FusedMultiplyAdd(x[j], y[j], lane[j % 64]);
        return Fold(lane);
    }

    private static float Fold(float[] lane)
    {
        for (int h = 32; h >= 1; h /= 2)
        for (int i = 0; i < h; i++)
            lane[i] += lane[i + h];
        return lane[0] + 0f;
    }
}
