namespace LutNative.Model.Numerics;

/// <summary>What a draw is for: the second half of the key. Values are part of the contract; never renumber.</summary>
public enum Purpose : uint
{
    Init = 1,
    Shuffle = 2,
    Crop = 3,
    Flip = 4,
    Jitter = 5,
    OneOfThree = 6,
    Mask = 7,
    DropPath = 8,
    Mix = 9,
    Erase = 10,
    Probe = 11,
    RandAugment = 12,
    Test = 99,
}

/// <summary>
/// Philox4x32-10 (Salmon et al., SC'11), addressed by meaning: key = (seed, purpose), counter = (sample, time, view,
/// block). There is no state to save, so workers, batch partition and resume cannot change a draw.
/// </summary>
public struct Philox(ulong seed, Purpose purpose, ulong sample, uint time, uint view)
{
    private uint block;
    private int used = 4;
    private (uint, uint, uint, uint) words;

    /// <summary>The block function: four words of counter and two of key to four random words.</summary>
    public static (uint, uint, uint, uint) Block(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = 0xD2511F53UL * c0;
            ulong p1 = 0xCD9E8D57UL * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        return (c0, c1, c2, c3);
    }

    public uint NextUInt()
    {
        if (used == 4)
        {
            // sample indices stay below 2^32; the upper seed half is folded with the purpose
            words = Block((uint)sample, time, view, block++, (uint)seed, (uint)(seed >> 32) ^ ((uint)purpose << 16));
            used = 0;
        }
        return used++ switch
        {
            0 => words.Item1,
            1 => words.Item2,
            2 => words.Item3,
            _ => words.Item4,
        };
    }

    /// <summary>Uniform in [0, 1): 24 bits, exact.</summary>
    public float NextFloat() => (NextUInt() >> 8) * (1f / 16777216f);

    /// <summary>Uniform in [0, 1) with 53 bits.</summary>
    public double NextDouble() => (((ulong)NextUInt() << 21) ^ (NextUInt() >> 11)) * (1.0 / 9007199254740992.0);

    /// <summary>Uniform integer in [0, n), by Lemire's multiplication with rejection.</summary>
    public uint NextBelow(uint n)
    {
        ulong m = (ulong)NextUInt() * n;
        if ((uint)m < n)
            for (uint floor = (0u - n) % n; (uint)m < floor; m = (ulong)NextUInt() * n) { }
        return (uint)(m >> 32);
    }

    /// <summary>Standard normal by Box-Muller on the host's functions.</summary>
    public double NextNormal()
    {
        double u = 1.0 - NextDouble();
        double v = NextDouble();
        return Math.Sqrt(-2.0 * HostMath.Log(u)) * HostMath.Cos(2.0 * Math.PI * v);
    }
}
