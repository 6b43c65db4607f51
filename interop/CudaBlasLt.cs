namespace LutNative.Interop;

/// <summary>
/// cuBLASLt with one workspace for one stream. Parts of a sum may only meet in that workspace, where they are added in
/// a fixed order, and the algorithm is chosen once a shape, so a program repeats its bits on the same device with the
/// same library. Source: NVIDIA's cuBLAS documentation, section on reproducibility.
/// </summary>
public sealed unsafe class CudaBlasLt : IDisposable
{
    private const int BiasEpilogue = 4;
    private const int InWorkspace = 2;
    private const long WorkspaceBytes = 32L << 20; // what the documentation recommends for Hopper

    private readonly PrimaryContext context;
    private readonly ICublasLt library;
    private readonly CudaDeviceMemory workspace;
    private readonly Dictionary<(MatmulShape, MatmulAlignment), Plan> plans = [];
    private nint handle;

    public CudaBlasLt(PrimaryContext context, ICublasLt library)
    {
        this.context = context;
        this.library = library;
        Check(library.Create(out handle), "cublasLtCreate", "");
        workspace = context.Allocate(WorkspaceBytes);
        context.Own(this);
    }

    /// <summary>"cublasLt 120804".</summary>
    public string Version => FormattableString.Invariant($"cublasLt {library.GetVersion()}");
    public string Path => library.Name;

    /// <summary>
    /// The product of this shape and of operands that lie like these: a call with the addresses of A, B, C, D and, for
    /// Bias, the vector.
    /// </summary>
    public CudaCall Matmul(in MatmulShape shape, ulong a, ulong b, ulong c, ulong d, ulong bias)
    {
        var alignment = MatmulAlignment.Of(shape, a, b, c, d, bias);
        if (!plans.TryGetValue((shape, alignment), out var plan))
            plans.Add((shape, alignment), plan = new Plan(this, shape, alignment, bias));
        return plan;
    }

    private void Check(int status, string call, string detail)
    {
        if (status == 0)
            return;
        string name = status switch
        {
            1 => "NOT_INITIALIZED",
            3 => "ALLOC_FAILED",
            7 => "INVALID_VALUE",
            8 => "ARCH_MISMATCH",
            13 => "EXECUTION_FAILED",
            14 => "INTERNAL_ERROR",
            15 => "NOT_SUPPORTED",
            _ => "status",
        };
        throw new CudaLibraryException(
            $"{call} failed with {name} ({status}){(detail.Length == 0 ? "" : " for " + detail)} on "
                + $"{context.DeviceName}, {Version} of {Path}: check that the library fits the driver, or use "
                + "--math exact"
        );
    }

    public void Dispose()
    {
        if (handle == 0)
            return;
        foreach (var plan in plans.Values)
            plan.Destroy();
        plans.Clear();
        workspace.Dispose();
        library.Destroy(handle);
        context.Disown(this);
        handle = 0;
    }

    private sealed class Plan : CudaCall
    {
        private readonly CudaBlasLt owner;
        private readonly MatmulShape shape;
        private readonly nint desc;
        private readonly nint a;
        private readonly nint b;
        private readonly nint d;
        private MatmulHeuristic algo;

        /// <param name="bias">Its first address: the library looks at it when it chooses.</param>
        internal Plan(CudaBlasLt owner, in MatmulShape s, MatmulAlignment alignment, ulong bias)
        {
            this.owner = owner;
            shape = s;
            var lt = owner.library;
            Check(
                lt.MatmulDescCreate(
                    out desc,
                    s.Type == CudaDataType.Float32 ? CublasCompute.Tf32 : CublasCompute.Float32,
                    CudaDataType.Float32
                ),
                "cublasLtMatmulDescCreate"
            );
            Set(MatmulDescAttribute.TransA, s.TransA ? 1 : 0);
            Set(MatmulDescAttribute.TransB, s.TransB ? 1 : 0);
            if (s.Bias)
            {
                Set(MatmulDescAttribute.Epilogue, BiasEpilogue);
                Set(MatmulDescAttribute.BiasDataType, (int)CudaDataType.Float32);
                Set(MatmulDescAttribute.BiasPointer, bias);
            }
            a = Layout(s.Type, s.TransA ? s.K : s.M, s.TransA ? s.M : s.K, s.Lda, s.StrideA);
            b = Layout(s.Type, s.TransB ? s.N : s.K, s.TransB ? s.K : s.N, s.Ldb, s.StrideB);
            d = Layout(CudaDataType.Float32, s.M, s.N, s.Ldc, s.StrideC);
            Check(lt.MatmulPreferenceCreate(out nint preference), "cublasLtMatmulPreferenceCreate");
            try
            {
                ulong bytes = (ulong)WorkspaceBytes;
                uint mask = InWorkspace;
                Check(
                    lt.MatmulPreferenceSetAttribute(
                        preference,
                        MatmulPreferenceAttribute.MaxWorkspaceBytes,
                        &bytes,
                        sizeof(ulong)
                    ),
                    "cublasLtMatmulPreferenceSetAttribute"
                );
                Check(
                    lt.MatmulPreferenceSetAttribute(
                        preference,
                        MatmulPreferenceAttribute.ReductionSchemeMask,
                        &mask,
                        sizeof(uint)
                    ),
                    "cublasLtMatmulPreferenceSetAttribute"
                );
                Align(preference, MatmulPreferenceAttribute.MinAlignmentA, alignment.A);
                Align(preference, MatmulPreferenceAttribute.MinAlignmentB, alignment.B);
                Align(preference, MatmulPreferenceAttribute.MinAlignmentC, alignment.C);
                Align(preference, MatmulPreferenceAttribute.MinAlignmentD, alignment.D);
                fixed (MatmulHeuristic* result = &algo)
                {
                    Check(
                        lt.MatmulAlgoGetHeuristic(owner.handle, desc, a, b, d, d, preference, 1, result, out int found),
                        "cublasLtMatmulAlgoGetHeuristic"
                    );
                    if (found == 0)
                        throw new CudaLibraryException(
                            $"cuBLASLt has no algorithm for {shape} on {owner.context.DeviceName}: use --math exact"
                        );
                }
            }
            finally
            {
                lt.MatmulPreferenceDestroy(preference);
            }
        }

        internal override string Name => $"cublasLtMatmul {(shape.TransA ? "tn" : shape.TransB ? "nt" : "nn")}";

        internal override void Run(nint stream, ulong* at)
        {
            float one = 1f;
            float beta = shape.Accumulate ? 1f : 0f;
            if (shape.Bias)
                Set(MatmulDescAttribute.BiasPointer, at[4]);
            fixed (MatmulHeuristic* result = &algo)
                Check(
                    owner.library.Matmul(
                        owner.handle,
                        desc,
                        &one,
                        at[0],
                        a,
                        at[1],
                        b,
                        &beta,
                        at[2],
                        d,
                        at[3],
                        d,
                        result,
                        (ulong)owner.workspace.Pointer,
                        (nuint)WorkspaceBytes,
                        stream
                    ),
                    "cublasLtMatmul"
                );
        }

        private void Align(nint preference, MatmulPreferenceAttribute attribute, int bytes)
        {
            uint value = (uint)bytes;
            Check(
                owner.library.MatmulPreferenceSetAttribute(preference, attribute, &value, sizeof(uint)),
                "cublasLtMatmulPreferenceSetAttribute"
            );
        }

        private nint Layout(CudaDataType type, int rows, int cols, int ld, long stride)
        {
            Check(
                owner.library.MatrixLayoutCreate(out nint layout, type, (ulong)rows, (ulong)cols, ld),
                "cublasLtMatrixLayoutCreate"
            );
            if (shape.Batch == 1)
                return layout;
            int count = shape.Batch;
            Check(
                owner.library.MatrixLayoutSetAttribute(layout, MatrixLayoutAttribute.BatchCount, &count, sizeof(int)),
                "cublasLtMatrixLayoutSetAttribute"
            );
            Check(
                owner.library.MatrixLayoutSetAttribute(
                    layout,
                    MatrixLayoutAttribute.StridedBatchOffset,
                    &stride,
                    sizeof(long)
                ),
                "cublasLtMatrixLayoutSetAttribute"
            );
            return layout;
        }

        private void Set<T>(MatmulDescAttribute attribute, T value)
            where T : unmanaged =>
            Check(
                owner.library.MatmulDescSetAttribute(desc, attribute, &value, (nuint)sizeof(T)),
                "cublasLtMatmulDescSetAttribute"
            );

        private void Check(int status, string call) => owner.Check(status, call, shape.ToString());

        internal void Destroy()
        {
            foreach (nint layout in new[] { a, b, d })
                owner.library.MatrixLayoutDestroy(layout);
            owner.library.MatmulDescDestroy(desc);
        }
    }
}

/// <summary>A call of cuBLASLt or cuDNN failed.</summary>
public sealed class CudaLibraryException(string message) : DeviceException(DeviceFault.Library, message);
