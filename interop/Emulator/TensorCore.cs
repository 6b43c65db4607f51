using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LutNative.Interop.Emulator;

/// <summary>
/// What only --math run-to-run may use: products of bfloat16 fragments by a whole warp. NVIDIA does not say in which
/// order a tensor core adds or how it rounds, so the bits here are one possibility: products and sums by fused
/// multiply-adds over ascending k. Small integers come out alike everywhere.
/// </summary>
internal static unsafe partial class Opcodes
{
    private static void TensorCore()
    {
        Add("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", "vvvv", &MultiplyAdd, converges: true);
        Add("cvt.rn.bf16x2.f32", "Www", &PackPair);
    }

    /// <summary>The first source is the upper half (PTX ISA, cvt).</summary>
    private static void PackPair(Warp w, Instruction* i)
    {
        var d = w.At<uint>(i->R[0]);
        var high = w.At<float>(i->R[1]);
        var low = w.At<float>(i->R[2]);
        for (int l = 0; l < 32; l++)
            if ((w.Active >> l & 1) != 0)
                d[l] = (uint)BFloat.Of(high[l]) << 16 | BFloat.Of(low[l]);
    }

    /// <summary>d [16, 8] = a [16, 16] b [16, 8] + c (PTX ISA, matrix fragments for mma.m16n8k16, .bf16).</summary>
    private static void MultiplyAdd(Warp w, Instruction* i)
    {
        if (w.Active != uint.MaxValue)
            throw w.Fault("a matrix product needs all 32 lanes");
        float* a = stackalloc float[16 * 16];
        float* b = stackalloc float[16 * 8];
        float* sum = stackalloc float[16 * 8];
        for (int l = 0; l < 32; l++)
        {
            int g = l >> 2;
            int t = 2 * (l & 3);
            for (int part = 0; part < 4; part++)
                Two(w.At<uint>(i->R[4 + part])[l], a + (g + (part & 1) * 8) * 16 + t + (part >> 1) * 8, 1);
            for (int part = 0; part < 2; part++)
                Two(w.At<uint>(i->R[8 + part])[l], b + (t + part * 8) * 8 + g, 8);
            for (int c = 0; c < 4; c++)
                sum[(g + (c >> 1) * 8) * 8 + t + (c & 1)] = w.At<float>(i->R[10 + c])[l];
        }
        for (int m = 0; m < 16; m++)
        for (int k = 0; k < 16; k++)
        {
            var row = Vector256.FusedMultiplyAdd(
                Vector256.Create(a[m * 16 + k]),
                Vector256.Load(b + k * 8),
                Vector256.Load(sum + m * 8)
            );
            *(Vector256<float>*)(sum + m * 8) = row;
        }
        for (int l = 0; l < 32; l++)
        for (int c = 0; c < 4; c++)
            w.At<float>(i->R[c])[l] = sum[((l >> 2) + (c >> 1) * 8) * 8 + 2 * (l & 3) + (c & 1)];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Two(uint pair, float* to, int step)
    {
        to[0] = BFloat.ToFloat((ushort)pair);
        to[step] = BFloat.ToFloat((ushort)(pair >> 16));
    }
}

/// <summary>bfloat16: the upper half of a binary32.</summary>
internal static class BFloat
{
    /// <summary>Rounded to nearest even; NaN is 7fff.</summary>
    internal static ushort Of(float x)
    {
        uint bits = BitConverter.SingleToUInt32Bits(x);
        return float.IsNaN(x) ? (ushort)0x7fff : (ushort)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }

    internal static float ToFloat(ushort half) => BitConverter.UInt32BitsToSingle((uint)half << 16);
}
