using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace LutNative.Model.Numerics;

/// <summary>
/// A tensor's 128-bit digest (NUMERICS rule 13): two sums modulo 2^64 of mixed (index, bits). Sums commute, so any
/// number of threads or blocks computes it in one pass; a flipped bit or a swapped pair changes it. NaN counts as
/// 7fc00000, -0 as itself.
/// </summary>
public readonly record struct Digest(ulong High, ulong Low)
{
    public static unsafe Digest Of(float* x, long count, long firstIndex = 0)
    {
        ulong high = 0;
        ulong low = 0;
        for (long i = 0; i < count; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(x[i]);
            if ((bits & 0x7fffffff) > 0x7f800000)
                bits = 0x7fc00000;
            Mix((ulong)(firstIndex + i), bits, ref high, ref low);
        }
        return new Digest(high, low);
    }

    public static unsafe Digest Of(ReadOnlySpan<float> x, long firstIndex = 0)
    {
        fixed (float* p = x)
            return Of(p, x.Length, firstIndex);
    }

    /// <summary>
    /// Digest of integers (counters, predictions, sample orders), by the same mixing of the low 32 bits.
    /// </summary>
    public static Digest Of(ReadOnlySpan<int> x, long firstIndex = 0)
    {
        ulong high = 0;
        ulong low = 0;
        for (int i = 0; i < x.Length; i++)
            Mix((ulong)(firstIndex + i), (uint)x[i], ref high, ref low);
        return new Digest(high, low);
    }

    /// <summary>The digest of a set of named digests: names are hashed too, order does not matter.</summary>
    public static Digest Combine(IEnumerable<(string Name, Digest Value)> parts)
    {
        ulong high = 0;
        ulong low = 0;
        foreach (var (name, value) in parts)
        {
            ulong key = 0xcbf29ce484222325; // FNV-1a of the name
            foreach (char c in name)
                key = (key ^ c) * 0x100000001b3;
            high += Avalanche(key ^ Avalanche(value.High + 0x9E3779B97F4A7C15));
            low += Avalanche(
                BitOperations.RotateLeft(key, 32) ^ Avalanche(value.Low ^ value.High * 0xD6E8FEB86659FD93)
            );
        }
        return new Digest(high, low);
    }

    /// <summary>
    /// What one element adds to a tensor's digest: differences of these say which changed element explains a difference
    /// of digests.
    /// </summary>
    public static Digest OfElement(long index, uint bits)
    {
        ulong high = 0;
        ulong low = 0;
        if ((bits & 0x7fffffff) > 0x7f800000)
            bits = 0x7fc00000;
        Mix((ulong)index, bits, ref high, ref low);
        return new Digest(high, low);
    }

    /// <summary>As the 16 bytes that tables hold, big-endian.</summary>
    public static Digest From(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));

    public byte[] ToBytes()
    {
        byte[] b = new byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(b, High);
        BinaryPrimitives.WriteUInt64BigEndian(b.AsSpan(8), Low);
        return b;
    }

    public static Digest operator -(Digest a, Digest b) => new(a.High - b.High, a.Low - b.Low);

    public static Digest operator +(Digest a, Digest b) => new(a.High + b.High, a.Low + b.Low);

    public override string ToString() =>
        High.ToString("x16", CultureInfo.InvariantCulture) + Low.ToString("x16", CultureInfo.InvariantCulture);

    private static void Mix(ulong index, uint bits, ref ulong high, ref ulong low)
    {
        ulong x = (index + 1) * 0x9E3779B97F4A7C15 ^ bits * 0xD6E8FEB86659FD93;
        x = (x ^ x >> 32) * 0xD6E8FEB86659FD93;
        x ^= x >> 29;
        high += x;
        x *= 0x9FB21C651E98DF25;
        low += x ^ x >> 32;
    }

    private static ulong Avalanche(ulong x)
    {
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
        x = (x ^ x >> 27) * 0x94D049BB133111EB;
        return x ^ x >> 31;
    }
}
