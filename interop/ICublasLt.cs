using System.Runtime.InteropServices;

namespace LutNative.Interop;

/// <summary>cudaDataType_t.</summary>
public enum CudaDataType
{
    Float32 = 0,
    BFloat16 = 14,
}

/// <summary>cublasComputeType_t: how products are computed and added.</summary>
public enum CublasCompute
{
    Float32 = 68,
    Tf32 = 77,
}

/// <summary>cublasLtMatmulDescAttributes_t.</summary>
public enum MatmulDescAttribute
{
    TransA = 3,
    TransB = 4,
    Epilogue = 7,
    BiasPointer = 8,
    BiasDataType = 26,
}

/// <summary>cublasLtMatrixLayoutAttribute_t.</summary>
public enum MatrixLayoutAttribute
{
    BatchCount = 5,
    StridedBatchOffset = 6,
}

/// <summary>cublasLtMatmulPreferenceAttributes_t.</summary>
public enum MatmulPreferenceAttribute
{
    MaxWorkspaceBytes = 1,
    ReductionSchemeMask = 3,
    MinAlignmentA = 5,
    MinAlignmentB = 6,
    MinAlignmentC = 7,
    MinAlignmentD = 8,
}

/// <summary>cublasLtMatmulHeuristicResult_t.</summary>
[StructLayout(LayoutKind.Sequential, Size = 96)]
public unsafe struct MatmulHeuristic
{
    /// <summary>cublasLtMatmulAlgo_t: means something to the library that made it only.</summary>
    public fixed byte Algo[64];
    public nuint WorkspaceBytes;
    public int Status;
    public float Waves;
}

/// <summary>
/// The calls of cuBLASLt that this project makes, with its names and argument order; matrices are column-major. Every
/// call returns a cublasStatus_t (0 is success).
/// Source: cublasLt.h of CUDA 12 and 13. Two implementations: <see cref="NvidiaCublasLt"/>, <see
/// cref="Emulator.EmulatedCublasLt"/>.
/// </summary>
public unsafe interface ICublasLt
{
    /// <summary>The library's path, or "emulator".</summary>
    string Name { get; }

    nuint GetVersion();
    int Create(out nint handle);
    int Destroy(nint handle);
    int MatmulDescCreate(out nint desc, CublasCompute compute, CudaDataType scale);
    int MatmulDescSetAttribute(nint desc, MatmulDescAttribute attribute, void* value, nuint bytes);
    int MatmulDescDestroy(nint desc);
    int MatrixLayoutCreate(out nint layout, CudaDataType type, ulong rows, ulong cols, long ld);
    int MatrixLayoutSetAttribute(nint layout, MatrixLayoutAttribute attribute, void* value, nuint bytes);
    int MatrixLayoutDestroy(nint layout);
    int MatmulPreferenceCreate(out nint preference);
    int MatmulPreferenceSetAttribute(nint preference, MatmulPreferenceAttribute attribute, void* value, nuint bytes);
    int MatmulPreferenceDestroy(nint preference);
    int MatmulAlgoGetHeuristic(
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
    int Matmul(
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
