using System.Runtime.Intrinsics;

namespace LutNative.Interop.Emulator;

/// <summary>A column-major matrix, or a batch of them, as cuBLASLt is told of it.</summary>
internal sealed class MatrixLayout
{
    public CudaDataType Type;
    public int Rows;
    public int Cols;
    public int Batch = 1;
    public long Ld;
    public long Stride;

    private int ElementBytes => Type == CudaDataType.Float32 ? 4 : 2;

    /// <summary>From one matrix of the batch to the next; 0 where there is one.</summary>
    internal ulong BatchBytes => Batch == 1 ? 0 : (ulong)(Stride * ElementBytes);

    /// <summary>Up to the end of matrix i.</summary>
    internal ulong Bytes(int i) => (ulong)((i * Stride + (Cols - 1) * Ld + Rows) * ElementBytes);
}

/// <summary>
/// The products of <see cref="EmulatedCublasLt"/>: one chain of fused multiply-adds an element.
/// </summary>
internal static unsafe class EmulatedProduct
{
    /// <summary>Matrix i as [k][other], k outside, so that a product goes along the other index.</summary>
    internal static float[] Operand(byte* from, MatrixLayout l, int i, bool rowsAreK)
    {
        int k = rowsAreK ? l.Rows : l.Cols;
        int n = rowsAreK ? l.Cols : l.Rows;
        var x = new float[(long)k * n];
        for (int col = 0; col < l.Cols; col++)
        for (int row = 0; row < l.Rows; row++)
        {
            long at = i * l.Stride + col * l.Ld + row;
            float v = l.Type == CudaDataType.Float32 ? Tf32(((float*)from)[at]) : BFloat.ToFloat(((ushort*)from)[at]);
            x[rowsAreK ? (long)row * n + col : (long)col * n + row] = v;
        }
        return x;
    }

    /// <summary>to = alpha left right + beta from + bias.</summary>
    internal static void Run(
        float[] left,
        float[] right,
        MatrixLayout d,
        float* from,
        float* to,
        float* bias,
        float alpha,
        float beta
    )
    {
        int m = d.Rows;
        int n = d.Cols;
        int k = left.Length / m;
        Parallel.For(
            0,
            n,
            () => new float[m],
            (j, _, sum) =>
            {
                Array.Clear(sum);
                for (int e = 0; e < k; e++)
                {
                    var a = left.AsSpan(e * m, m);
                    var b = Vector512.Create(right[e * n + j]);
                    int i = 0;
                    for (; i + 16 <= m; i += 16)
                        Vector512
                            .FusedMultiplyAdd(
                                Vector512.Create<float>(a[i..]),
                                b,
                                Vector512.Create<float>(sum.AsSpan(i))
                            )
                            .CopyTo(sum, i);
                    for (; i < m; i++)
                        sum[i] = MathF.FusedMultiplyAdd(a[i], b[0], sum[i]);
                }
                for (int i = 0; i < m; i++)
                {
                    float v = alpha * sum[i] + (beta == 0f ? 0f : beta * from[j * d.Ld + i]);
                    to[j * d.Ld + i] = bias == null ? v : v + bias[i];
                }
                return sum;
            },
            _ => { }
        );
    }

    /// <summary>10 bits of mantissa, as tensor cores read binary32 in this mode.</summary>
    private static float Tf32(float x) =>
        BitConverter.UInt32BitsToSingle((BitConverter.SingleToUInt32Bits(x) + 0x1000) & 0xffffe000);
}
