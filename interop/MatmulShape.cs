namespace LutNative.Interop;

/// <summary>The shape of a product D = op(A) op(B) + beta C of column-major matrices, batch times.</summary>
/// <param name="TransA">A is stored [k, m] with m columns, not [m, k].</param>
/// <param name="StrideA">Elements from one of the batch to the next.</param>
/// <param name="Accumulate">beta: 0 or 1. C has D's layout.</param>
/// <param name="Bias">Adds a vector of m floats to every column.</param>
public readonly record struct MatmulShape(
    CudaDataType Type,
    bool TransA,
    bool TransB,
    int M,
    int N,
    int K,
    int Lda,
    int Ldb,
    int Ldc,
    int Batch,
    long StrideA,
    long StrideB,
    long StrideC,
    bool Accumulate,
    bool Bias
);

/// <summary>
/// What operands' addresses are multiples of, bytes. An algorithm is chosen for these: one that was chosen for more may
/// read past the words that are there, and one that was chosen for less is slower. At most 256, what the library takes
/// for granted if nobody says otherwise, so that a plan does not depend on where an allocation happens to lie.
/// </summary>
internal readonly record struct MatmulAlignment(int A, int B, int C, int D, int Bias)
{
    private const int Most = 256;

    internal static MatmulAlignment Of(in MatmulShape s, ulong a, ulong b, ulong c, ulong d, ulong bias)
    {
        long operand = s.Type == CudaDataType.Float32 ? sizeof(float) : sizeof(ushort);
        long batches = s.Batch == 1 ? 0 : 1;
        return new MatmulAlignment(
            Common(a, batches * s.StrideA * operand),
            Common(b, batches * s.StrideB * operand),
            Common(c, batches * s.StrideC * sizeof(float)),
            Common(d, batches * s.StrideC * sizeof(float)),
            s.Bias ? Common(bias, 0) : 0
        );
    }

    /// <summary>Of the first matrix and of every one after it.</summary>
    private static int Common(ulong address, long strideBytes)
    {
        ulong bits = address | (ulong)strideBytes | Most;
        return (int)(bits & (~bits + 1));
    }
}
