namespace LutNative.Interop.Emulator;

/// <summary>
/// cuBLASLt for the emulated device: the calls' rules (sizes of attributes, column-major layouts, what a heuristic must
/// be asked for) and the products themselves, one chain of fused multiply-adds an element, which is one of the orders
/// that the library may choose.
/// </summary>
public sealed unsafe class EmulatedCublasLt(EmulatedDriver driver) : ICublasLt
{
    private const int Success = 0;
    private const int InvalidValue = 7;
    private const int NotSupported = 15;
    private const int BiasEpilogue = 4;

    private sealed record Handle;

    private sealed class Desc
    {
        public bool TransA;
        public bool TransB;
        public bool Bias;
        public ulong BiasPointer;
        public CublasCompute Compute;
    }

    private sealed class Preference
    {
        public ulong Workspace;
        public uint Reductions = 7;

        /// <summary>Of A, B, C, D; the library's own default.</summary>
        public readonly uint[] Alignments = [256, 256, 256, 256];
    }

    public string Name => "emulator";

    public nuint GetVersion() => 0;

    public int Create(out nint handle) => Made(out handle, new Handle());

    public int Destroy(nint handle) => driver.Remove<Handle>(handle) == 0 ? Success : InvalidValue;

    public int MatmulDescCreate(out nint desc, CublasCompute compute, CudaDataType scale) =>
        Made(out desc, new Desc { Compute = compute });

    public int MatmulDescDestroy(nint desc) => driver.Remove<Desc>(desc) == 0 ? Success : InvalidValue;

    public int MatmulDescSetAttribute(nint desc, MatmulDescAttribute attribute, void* value, nuint bytes)
    {
        if (!driver.Find<Desc>(desc, out var d) || bytes != (attribute == MatmulDescAttribute.BiasPointer ? 8u : 4u))
            return InvalidValue;
        switch (attribute)
        {
            case MatmulDescAttribute.TransA:
                d.TransA = *(int*)value == 1;
                break;
            case MatmulDescAttribute.TransB:
                d.TransB = *(int*)value == 1;
                break;
            case MatmulDescAttribute.Epilogue:
                d.Bias = *(int*)value == BiasEpilogue;
                break;
            case MatmulDescAttribute.BiasPointer:
                d.BiasPointer = *(ulong*)value;
                break;
            case MatmulDescAttribute.BiasDataType when *(int*)value == (int)CudaDataType.Float32:
                break;
            default:
                return NotSupported;
        }
        return Success;
    }

    public int MatrixLayoutCreate(out nint layout, CudaDataType type, ulong rows, ulong cols, long ld)
    {
        layout = 0;
        return ld < (long)rows
            ? InvalidValue
            : Made(
                out layout,
                new MatrixLayout
                {
                    Type = type,
                    Rows = (int)rows,
                    Cols = (int)cols,
                    Ld = ld,
                }
            );
    }

    public int MatrixLayoutSetAttribute(nint layout, MatrixLayoutAttribute attribute, void* value, nuint bytes)
    {
        if (
            !driver.Find<MatrixLayout>(layout, out var l)
            || bytes != (attribute == MatrixLayoutAttribute.BatchCount ? 4u : 8u)
        )
            return InvalidValue;
        if (attribute == MatrixLayoutAttribute.BatchCount)
            l.Batch = *(int*)value;
        else
            l.Stride = *(long*)value;
        return Success;
    }

    public int MatrixLayoutDestroy(nint layout) => driver.Remove<MatrixLayout>(layout) == 0 ? Success : InvalidValue;

    public int MatmulPreferenceCreate(out nint preference) => Made(out preference, new Preference());

    public int MatmulPreferenceSetAttribute(
        nint preference,
        MatmulPreferenceAttribute attribute,
        void* value,
        nuint bytes
    )
    {
        if (
            !driver.Find<Preference>(preference, out var p)
            || bytes != (attribute == MatmulPreferenceAttribute.MaxWorkspaceBytes ? 8u : 4u)
        )
            return InvalidValue;
        if (attribute == MatmulPreferenceAttribute.MaxWorkspaceBytes)
            p.Workspace = *(ulong*)value;
        else if (attribute == MatmulPreferenceAttribute.ReductionSchemeMask)
            p.Reductions = *(uint*)value;
        else if (attribute is >= MatmulPreferenceAttribute.MinAlignmentA and <= MatmulPreferenceAttribute.MinAlignmentD)
        {
            uint alignment = *(uint*)value;
            if (!System.Numerics.BitOperations.IsPow2(alignment))
                return InvalidValue;
            p.Alignments[attribute - MatmulPreferenceAttribute.MinAlignmentA] = alignment;
        }
        else
            return NotSupported;
        return Success;
    }

    public int MatmulPreferenceDestroy(nint preference) =>
        driver.Remove<Preference>(preference) == 0 ? Success : InvalidValue;

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
    )
    {
        found = 0;
        if (
            !driver.Find<Handle>(handle, out _)
            || !driver.Find<Preference>(preference, out var p)
            || Shapes(desc, a, b, c, d) is not var (op, _, _, _)
        )
            return InvalidValue;
        // the choice depends on the bias vector's address: asking without one is asking about another product
        if (op.Bias && op.BiasPointer == 0)
            return InvalidValue;
        results[0] = default;
        results[0].Algo[0] = 1;
        // the algorithm remembers what it was promised
        for (int i = 0; i < 4; i++)
            results[0].Algo[1 + i] = (byte)System.Numerics.BitOperations.Log2(p.Alignments[i]);
        found = 1;
        return Success;
    }

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
    )
    {
        if (
            !driver.Find<Handle>(handle, out _)
            || Shapes(desc, a, b, c, d) is not var (op, la, lb, ld)
            || ((byte*)algo)[0] != 1
            || (workspace & 255) != 0
        )
            return InvalidValue;
        ulong[] addresses = [aPointer, bPointer, cPointer, dPointer];
        MatrixLayout[] layouts = [la, lb, ld, ld];
        for (int i = 0; i < 4; i++)
            if (((addresses[i] | layouts[i].BatchBytes) & ((1UL << ((byte*)algo)[1 + i]) - 1)) != 0)
                return NotSupported; // words that are not where they were said to be
        if ((op.Compute == CublasCompute.Tf32) != (la.Type == CudaDataType.Float32))
            return NotSupported;
        float scale = *(float*)alpha;
        float keep = *(float*)beta;
        ulong bias = op.Bias ? op.BiasPointer : 0; // read now: the descriptor may change before the work runs
        return driver.Enqueue(
            stream,
            () =>
            {
                for (int i = 0; i < ld.Batch; i++)
                {
                    float[] left = Read(aPointer, la, i, op.TransA);
                    float[] right = Read(bPointer, lb, i, !op.TransB); // [k][m], [k][n]
                    float* from = (float*)driver.Host(cPointer, ld.Bytes(i)) + i * ld.Stride;
                    float* to = (float*)driver.HostWritten(dPointer, ld.Bytes(i)) + i * ld.Stride;
                    float* add = bias == 0 ? null : (float*)driver.Host(bias, 4UL * (ulong)ld.Rows);
                    EmulatedProduct.Run(left, right, ld, from, to, add, scale, keep);
                }
            }
        );
    }

    private float[] Read(ulong address, MatrixLayout l, int i, bool rowsAreK) =>
        EmulatedProduct.Operand(driver.Host(address, l.Bytes(i)), l, i, rowsAreK);

    private (Desc Op, MatrixLayout A, MatrixLayout B, MatrixLayout D)? Shapes(nint desc, nint a, nint b, nint c, nint d)
    {
        if (
            !driver.Find<Desc>(desc, out var op)
            || !driver.Find<MatrixLayout>(a, out var la)
            || !driver.Find<MatrixLayout>(b, out var lb)
            || !driver.Find<MatrixLayout>(c, out var lc)
            || !driver.Find<MatrixLayout>(d, out var ld)
        )
            return null;
        var (m, k) = op.TransA ? (la.Cols, la.Rows) : (la.Rows, la.Cols);
        var (k2, n) = op.TransB ? (lb.Cols, lb.Rows) : (lb.Rows, lb.Cols);
        bool fit =
            k == k2
            && ld.Rows == m
            && ld.Cols == n
            && lc.Rows == m
            && lc.Cols == n
            && la.Type == lb.Type
            && ld.Type == CudaDataType.Float32
            && la.Batch == lb.Batch
            && la.Batch == ld.Batch;
        return fit ? (op, la, lb, ld) : null;
    }

    private int Made(out nint handle, object o)
    {
        handle = driver.Add(o);
        return Success;
    }
}
