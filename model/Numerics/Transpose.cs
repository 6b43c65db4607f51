using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace LutNative.Model.Numerics;

/// <summary>Transposing copies: no arithmetic, so every path gives the same bits.</summary>
internal static unsafe class Transpose
{
    /// <summary>to[j * ldt + i] = from[i * ldf + j] for i in [0, rows), j in [0, cols).</summary>
    internal static void Copy(float* to, nint ldt, float* from, nint ldf, int rows, int cols)
    {
        int i = 0;
        for (; i + 4 <= rows; i += 4)
        {
            float* source = from + i * ldf;
            float* target = to + i;
            int j = 0;
            for (; j + 4 <= cols; j += 4)
                Block(target + j * ldt, ldt, source + j, ldf);
            for (; j < cols; j++)
            for (int r = 0; r < 4; r++)
                target[j * ldt + r] = source[r * ldf + j];
        }
        for (; i < rows; i++)
        for (int j = 0; j < cols; j++)
            to[j * ldt + i] = from[i * ldf + j];
    }

    /// <summary>A 4 x 4 block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Block(float* to, nint ldt, float* from, nint ldf)
    {
        Vector128<float> a = Vector128.Load(from);
        Vector128<float> b = Vector128.Load(from + ldf);
        Vector128<float> c = Vector128.Load(from + 2 * ldf);
        Vector128<float> d = Vector128.Load(from + 3 * ldf);
        Vector128<float> ab0;
        Vector128<float> ab1;
        Vector128<float> cd0;
        Vector128<float> cd1;
        if (Sse.IsSupported)
        {
            (ab0, ab1, cd0, cd1) = (
                Sse.UnpackLow(a, b),
                Sse.UnpackHigh(a, b),
                Sse.UnpackLow(c, d),
                Sse.UnpackHigh(c, d)
            );
            Sse.MoveLowToHigh(ab0, cd0).Store(to);
            Sse.MoveHighToLow(cd0, ab0).Store(to + ldt);
            Sse.MoveLowToHigh(ab1, cd1).Store(to + 2 * ldt);
            Sse.MoveHighToLow(cd1, ab1).Store(to + 3 * ldt);
        }
        else if (AdvSimd.Arm64.IsSupported)
        {
            (ab0, ab1, cd0, cd1) = (
                AdvSimd.Arm64.ZipLow(a, b),
                AdvSimd.Arm64.ZipHigh(a, b),
                AdvSimd.Arm64.ZipLow(c, d),
                AdvSimd.Arm64.ZipHigh(c, d)
            );
            AdvSimd.Arm64.ZipLow(ab0.AsDouble(), cd0.AsDouble()).AsSingle().Store(to);
            AdvSimd.Arm64.ZipHigh(ab0.AsDouble(), cd0.AsDouble()).AsSingle().Store(to + ldt);
            AdvSimd.Arm64.ZipLow(ab1.AsDouble(), cd1.AsDouble()).AsSingle().Store(to + 2 * ldt);
            AdvSimd.Arm64.ZipHigh(ab1.AsDouble(), cd1.AsDouble()).AsSingle().Store(to + 3 * ldt);
        }
        else
            for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++)
                to[j * ldt + i] = from[i * ldf + j];
    }
}
