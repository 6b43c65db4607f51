using System.Runtime.InteropServices;

namespace LutNative.Interop;

/// <summary>cuBLASLt of this machine. Source: cublasLt.h.</summary>
public sealed unsafe partial class NvidiaCublasLt : ICublasLt
{
    private const string Lt = "cublasLt";

    /// <exception cref="DllNotFoundException">There is no such library, or it lacks an entry point.</exception>
    public NvidiaCublasLt() => Name = NativeLibraries.Require(Lt, EntryPoints, "cuBLASLt of CUDA 12 or 13");

    public string Name { get; }

    public static IReadOnlyList<string> EntryPoints { get; } =
    [
        "cublasLtGetVersion",
        "cublasLtCreate",
        "cublasLtDestroy",
        "cublasLtMatmulDescCreate",
        "cublasLtMatmulDescSetAttribute",
        "cublasLtMatmulDescDestroy",
        "cublasLtMatrixLayoutCreate",
        "cublasLtMatrixLayoutSetAttribute",
        "cublasLtMatrixLayoutDestroy",
        "cublasLtMatmulPreferenceCreate",
        "cublasLtMatmulPreferenceSetAttribute",
        "cublasLtMatmulPreferenceDestroy",
        "cublasLtMatmulAlgoGetHeuristic",
        "cublasLtMatmul",
    ];

    public nuint GetVersion() => cublasLtGetVersion();

    public int Create(out nint handle) => cublasLtCreate(out handle);

    public int Destroy(nint handle) => cublasLtDestroy(handle);

    public int MatmulDescCreate(out nint desc, CublasCompute compute, CudaDataType scale) =>
        cublasLtMatmulDescCreate(out desc, compute, scale);

    public int MatmulDescSetAttribute(nint desc, MatmulDescAttribute attribute, void* value, nuint bytes) =>
        cublasLtMatmulDescSetAttribute(desc, attribute, value, bytes);

    public int MatmulDescDestroy(nint desc) => cublasLtMatmulDescDestroy(desc);

    public int MatrixLayoutCreate(out nint layout, CudaDataType type, ulong rows, ulong cols, long ld) =>
        cublasLtMatrixLayoutCreate(out layout, type, rows, cols, ld);

    public int MatrixLayoutSetAttribute(nint layout, MatrixLayoutAttribute attribute, void* value, nuint bytes) =>
        cublasLtMatrixLayoutSetAttribute(layout, attribute, value, bytes);

    public int MatrixLayoutDestroy(nint layout) => cublasLtMatrixLayoutDestroy(layout);

    public int MatmulPreferenceCreate(out nint preference) => cublasLtMatmulPreferenceCreate(out preference);

    public int MatmulPreferenceSetAttribute(
        nint preference,
        MatmulPreferenceAttribute attribute,
        void* value,
        nuint bytes
    ) => cublasLtMatmulPreferenceSetAttribute(preference, attribute, value, bytes);

    public int MatmulPreferenceDestroy(nint preference) => cublasLtMatmulPreferenceDestroy(preference);

    public int MatmulAlgoGetHeuristic(
        nint handle,
        nint desc,
        nint a,
        nint b,
        nint c,
        nint d,
        nint preference,
        int requested,
        MatmulHeuristic* results,
        out int found
    ) => cublasLtMatmulAlgoGetHeuristic(handle, desc, a, b, c, d, preference, requested, results, out found);

    public int Matmul(
        nint handle,
        nint desc,
        void* alpha,
        ulong aPointer,
        nint a,
        ulong bPointer,
        nint b,
        void* beta,
        ulong cPointer,
        nint c,
        ulong dPointer,
        nint d,
        void* algo,
        ulong workspace,
        nuint workspaceBytes,
        nint stream
    ) =>
        cublasLtMatmul(
            handle,
            desc,
            alpha,
            aPointer,
            a,
            bPointer,
            b,
            beta,
            cPointer,
            c,
            dPointer,
            d,
            algo,
            workspace,
            workspaceBytes,
            stream
        );

    [LibraryImport(Lt)]
    private static partial nuint cublasLtGetVersion();

    [LibraryImport(Lt)]
    private static partial int cublasLtCreate(out nint handle);

    [LibraryImport(Lt)]
    private static partial int cublasLtDestroy(nint handle);

    [LibraryImport(Lt)]
    private static partial int cublasLtMatmulDescCreate(out nint desc, CublasCompute compute, CudaDataType scale);

    [LibraryImport(Lt)]
    private static partial int cublasLtMatmulDescSetAttribute(
        nint desc,
        MatmulDescAttribute attribute,
        void* value,
        nuint bytes
    );

    [LibraryImport(Lt)]
    private static partial int cublasLtMatmulDescDestroy(nint desc);

    [LibraryImport(Lt)]
    private static partial int cublasLtMatrixLayoutCreate(
        out nint layout,
        CudaDataType type,
        ulong rows,
        ulong cols,
        long ld
    );

    [LibraryImport(Lt)]
    private static partial int cublasLtMatrixLayoutSetAttribute(
        nint layout,
        MatrixLayoutAttribute attribute,
        void* value,
        nuint bytes
    );

    [LibraryImport(Lt)]
    private static partial int cublasLtMatrixLayoutDestroy(nint layout);

    [LibraryImport(Lt)]
    private static partial int cublasLtMatmulPreferenceCreate(out nint preference);

    [LibraryImport(Lt)]
    private static partial int cublasLtMatmulPreferenceSetAttribute(
        nint preference,
        MatmulPreferenceAttribute attribute,
        void* value,
        nuint bytes
    );

    [LibraryImport(Lt)]
    private static partial int cublasLtMatmulPreferenceDestroy(nint preference);

    [LibraryImport(Lt)]
    private static partial int cublasLtMatmulAlgoGetHeuristic(
        nint handle,
        nint desc,
        nint a,
        nint b,
        nint c,
        nint d,
        nint preference,
        int requested,
        MatmulHeuristic* results,
        out int found
    );

    [LibraryImport(Lt)]
    private static partial int cublasLtMatmul(
        nint handle,
        nint desc,
        void* alpha,
        ulong aPointer,
        nint a,
        ulong bPointer,
        nint b,
        void* beta,
        ulong cPointer,
        nint c,
        ulong dPointer,
        nint d,
        void* algo,
        ulong workspace,
        nuint workspaceBytes,
        nint stream
    );
}
