using System.Runtime.Intrinsics;

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

    private sealed class Layout
    {
        public CudaDataType Type;
        public int Rows;
        public int Cols;
        public int Batch = 1;
        public long Ld;
        public long Stride;
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
                new Layout
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
            !driver.Find<Layout>(layout, out var l)
            || bytes != (attribute == MatrixLayoutAttribute.BatchCount ? 4u : 8u)
        )
            return InvalidValue;
        if (attribute == MatrixLayoutAttribute.BatchCount)
            l.Batch = *(int*)value;
        else
            l.Stride = *(long*)value;
        return Success;
    }

    public int MatrixLayoutDestroy(nint layout) => driver.Remove<Layout>(layout) == 0 ? Success : InvalidValue;

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
        Layout[] layouts = [la, lb, ld, ld];
        for (int i = 0; i < 4; i++)
            if (((addresses[i] | BatchBytes(layouts[i])) & ((1UL << ((byte*)algo)[1 + i]) - 1)) != 0)
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
                    float* from = (float*)driver.Host(cPointer, Bytes(ld, i)) + i * ld.Stride;
                    float* to = (float*)driver.HostWritten(dPointer, Bytes(ld, i)) + i * ld.Stride;
                    float* add = bias == 0 ? null : (float*)driver.Host(bias, 4UL * (ulong)ld.Rows);
                    Product(left, right, ld, from, to, add, scale, keep);
                }
            }
        );
    }

    private static ulong BatchBytes(Layout l) =>
        l.Batch == 1 ? 0 : (ulong)(l.Stride * (l.Type == CudaDataType.Float32 ? 4 : 2));

    private static ulong Bytes(Layout l, int i) =>
        (ulong)((i * l.Stride + (l.Cols - 1) * l.Ld + l.Rows) * (l.Type == CudaDataType.Float32 ? 4 : 2));

    /// <summary>An operand as [k][other], k outside, so that a product goes along the other index.</summary>
    private float[] Read(ulong address, Layout l, int i, bool rowsAreK)
    {
        byte* from = driver.Host(address, Bytes(l, i));
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

    private static void Product(
        float[] left,
        float[] right,
        Layout d,
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

    private (Desc Op, Layout A, Layout B, Layout D)? Shapes(nint desc, nint a, nint b, nint c, nint d)
    {
        if (
            !driver.Find<Desc>(desc, out var op)
            || !driver.Find<Layout>(a, out var la)
            || !driver.Find<Layout>(b, out var lb)
            || !driver.Find<Layout>(c, out var lc)
            || !driver.Find<Layout>(d, out var ld)
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
