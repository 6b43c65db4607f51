using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Devices;

/// <summary>
/// What the hardware can do at most, measured: benchmarks are read as a share of these. Best of several short runs,
/// since other load can only slow a run down.
/// </summary>
public static unsafe class MachineLimits
{
    /// <summary>
    /// Fused multiply-adds from registers on all workers of a pool, in FLOP/s (two a multiply-add), at this machine's
    /// best vector width.
    /// </summary>
    public static double FmaFlops(Pool pool, double seconds = 0.2) =>
        Vector512.IsHardwareAccelerated ? Fma<Vector512<float>, Lanes512>(pool, seconds)
        : Vector256.IsHardwareAccelerated ? Fma<Vector256<float>, Lanes256>(pool, seconds)
        : Fma<Vector128<float>, Lanes128>(pool, seconds);

    /// <summary>
    /// Bytes per second moved (read plus written) by copies of buffers larger than the caches, on all workers.
    /// </summary>
    public static double CopyBytes(Pool pool, double seconds = 0.2)
    {
        const long Bytes = 64L << 20;
        using var arena = new Arena();
        var buffers = new nint[pool.Workers];
        for (int w = 0; w < buffers.Length; w++)
            buffers[w] = (nint)arena.Floats(2 * Bytes / sizeof(float));
        return Best(
            seconds,
            pool.Workers * 2.0 * Bytes,
            () =>
                pool.Run(
                    pool.Workers,
                    (i, _) => Buffer.MemoryCopy((byte*)buffers[i] + Bytes, (void*)buffers[i], Bytes, Bytes)
                )
        );
    }

    private static double Fma<V, L>(Pool pool, double seconds)
        where V : unmanaged
        where L : struct, ILanes<V>
    {
        const int Turns = 1 << 18;
        const int Chains = 12;
        var sinks = new float[pool.Workers * 64];
        return Best(
            seconds,
            2.0 * Turns * Chains * L.Count * pool.Workers,
            () => pool.Run(pool.Workers, (i, _) => sinks[i * 64] = Spin<V, L>(Turns))
        );
    }

    /// <summary>12 independent chains, more than latency times issue width; values go to 2 and stay there.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Spin<V, L>(int turns)
        where V : unmanaged
        where L : struct, ILanes<V>
    {
        V h = L.Set(0.5f);
        V one = L.Set(1f);
        V a = one;
        V b = one;
        V c = one;
        V d = one;
        V e = one;
        V f = one;
        V g = one;
        V i = one;
        V j = one;
        V k = one;
        V l = one;
        V m = one;
        for (int t = 0; t < turns; t++)
        {
            a = L.Fma(a, h, one);
            b = L.Fma(b, h, one);
            c = L.Fma(c, h, one);
            d = L.Fma(d, h, one);
            e = L.Fma(e, h, one);
            f = L.Fma(f, h, one);
            g = L.Fma(g, h, one);
            i = L.Fma(i, h, one);
            j = L.Fma(j, h, one);
            k = L.Fma(k, h, one);
            l = L.Fma(l, h, one);
            m = L.Fma(m, h, one);
        }
        V sum = L.Add(
            L.Add(L.Add(a, b), L.Add(c, d)),
            L.Add(L.Add(e, f), L.Add(L.Add(g, i), L.Add(L.Add(j, k), L.Add(l, m))))
        );
        float* lanes = stackalloc float[L.Count];
        L.Store(sum, lanes);
        return lanes[0];
    }

    private static double Best(double seconds, double work, Action run)
    {
        run();
        double best = 0;
        long begin = Stopwatch.GetTimestamp();
        do
        {
            long before = Stopwatch.GetTimestamp();
            run();
            best = Math.Max(best, work / Stopwatch.GetElapsedTime(before).TotalSeconds);
        } while (Stopwatch.GetElapsedTime(begin).TotalSeconds < seconds);
        return best;
    }
}
