using LutNative.Interop.Emulator;

namespace LutNative.Interop.Tests;

/// <summary>What the library refuses, its twin refuses.</summary>
public unsafe class EmulatedCublasLtTests
{
    /// <summary>The heuristic's and the product's answers for 2 x 2 matrices at one address.</summary>
    /// <param name="promised">The alignment that the heuristic is told; 0 for none.</param>
    private static unsafe (int Heuristic, int Product) Ask(
        EmulatedCublasLt library,
        ulong address,
        uint promised,
        bool bias
    )
    {
        library.Create(out nint handle);
        library.MatmulDescCreate(out nint desc, CublasCompute.Float32, CudaDataType.Float32);
        int epilogue = 4;
        if (bias)
            library.MatmulDescSetAttribute(desc, MatmulDescAttribute.Epilogue, &epilogue, sizeof(int));
        library.MatrixLayoutCreate(out nint operand, CudaDataType.BFloat16, 2, 2, 2);
        library.MatrixLayoutCreate(out nint result, CudaDataType.Float32, 2, 2, 2);
        library.MatmulPreferenceCreate(out nint preference);
        foreach (
            var which in promised == 0
                ? []
                : new[]
                {
                    MatmulPreferenceAttribute.MinAlignmentA,
                    MatmulPreferenceAttribute.MinAlignmentB,
                    MatmulPreferenceAttribute.MinAlignmentC,
                    MatmulPreferenceAttribute.MinAlignmentD,
                }
        )
            Assert.Equal(0, library.MatmulPreferenceSetAttribute(preference, which, &promised, sizeof(uint)));
        var algo = new MatmulHeuristic();
        int asked = library.MatmulAlgoGetHeuristic(
            handle,
            desc,
            operand,
            operand,
            result,
            result,
            preference,
            1,
            &algo,
            out _
        );
        float one = 1;
        float zero = 0;
        int multiplied =
            asked != 0
                ? 0
                : library.Matmul(
                    handle,
                    desc,
                    &one,
                    address,
                    operand,
                    address,
                    operand,
                    &zero,
                    address,
                    result,
                    address,
                    result,
                    &algo,
                    0,
                    0,
                    0
                );
        library.MatmulPreferenceDestroy(preference);
        library.MatrixLayoutDestroy(operand);
        library.MatrixLayoutDestroy(result);
        library.MatmulDescDestroy(desc);
        library.Destroy(handle);
        return (asked, multiplied);
    }

    /// <summary>
    /// What cuBLASLt refuses, its twin refuses: attributes of a wrong size, layouts that do not fit; and the error says
    /// for which product.
    /// </summary>
    [Fact]
    public void ALibrarysRefusalNamesTheProduct()
    {
        using var driver = new EmulatedDriver();
        using (var context = new PrimaryContext(driver, 0))
        {
            var blas = new CudaBlasLt(context, new EmulatedCublasLt(driver));
            var e = Assert.Throws<CudaLibraryException>(() =>
                blas.Matmul(
                    new MatmulShape(
                        CudaDataType.BFloat16,
                        false,
                        false,
                        8,
                        4,
                        16,
                        Lda: 4,
                        Ldb: 16,
                        Ldc: 8,
                        1,
                        0,
                        0,
                        0,
                        false,
                        false
                    ),
                    0,
                    0,
                    0,
                    0,
                    0
                )
            );
            Assert.Contains("cublasLtMatrixLayoutCreate failed with INVALID_VALUE (7)", e.Message);
            Assert.Contains("Lda = 4", e.Message);
            int wrong = 1;
            var library = new EmulatedCublasLt(driver);
            Assert.Equal(0, library.MatmulDescCreate(out nint desc, CublasCompute.Float32, CudaDataType.Float32));
            Assert.NotEqual(0, library.MatmulDescSetAttribute(desc, MatmulDescAttribute.TransA, &wrong, 1));
            Assert.Equal(0, library.MatmulDescDestroy(desc));
            // an algorithm that was asked for without the operands' alignments was chosen for 256 bytes; one with a
            // bias needs its vector
            using var words = context.Allocate(4096);
            Assert.Equal((0, 15), Ask(library, (ulong)words.Pointer + 64, promised: 0, bias: false));
            Assert.Equal((0, 0), Ask(library, (ulong)words.Pointer + 64, promised: 64, bias: false));
            Assert.Equal((0, 15), Ask(library, (ulong)words.Pointer + 64, promised: 128, bias: false));
            Assert.Equal((7, 0), Ask(library, (ulong)words.Pointer, promised: 64, bias: true));
        }
        driver.Dispose();
    }
}
