using System.Runtime.Intrinsics;

namespace LutNative.Interop.Emulator;

/// <summary>
/// Sets of 32 lanes as vectors of all-ones and zeros, remembered for the last set asked for: instructions that follow
/// each other mostly have the same lanes.
/// </summary>
internal sealed class LaneMasks
{
    private readonly Vector512<int>[] masks = new Vector512<int>[6];
    private uint lanes = uint.MaxValue;

    /// <summary>Parts 0 and 1 are for 32-bit values, 2 to 5 for 64-bit ones.</summary>
    internal Vector512<int> Of(uint active, int part)
    {
        if (lanes != active)
        {
            lanes = active;
            for (int p = 0; p < 2; p++)
                masks[p] = Spread32(active >> (16 * p));
            for (int p = 0; p < 4; p++)
                masks[2 + p] = Spread64(active >> (8 * p));
        }
        return masks[part];
    }

    private static Vector512<int> Spread32(uint bits)
    {
        var one = Vector512.Create(
            1,
            1 << 1,
            1 << 2,
            1 << 3,
            1 << 4,
            1 << 5,
            1 << 6,
            1 << 7,
            1 << 8,
            1 << 9,
            1 << 10,
            1 << 11,
            1 << 12,
            1 << 13,
            1 << 14,
            1 << 15
        );
        return Vector512.Equals(Vector512.Create((int)bits) & one, one);
    }

    private static Vector512<int> Spread64(uint bits)
    {
        var one = Vector512.Create(1L, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7);
        return Vector512.Equals(Vector512.Create((long)bits) & one, one).AsInt32();
    }
}
