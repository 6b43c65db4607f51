using System.Runtime.CompilerServices;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Diagnosis;

/// <summary>Ways in which other software computes the same formula to other bits.</summary>
public enum Variant
{
    /// <summary>Terms of a sum in another order: the last first, or one chain where the contract has lanes.</summary>
    Order,

    /// <summary>A product's sum cut in two halves that are added at the end (split-k).</summary>
    Split,

    /// <summary>A multiply and an add, each rounded, where the contract fuses them.</summary>
    Unfused,

    /// <summary>Operands of a product rounded to TF32's ten bits.</summary>
    Tf32,

    /// <summary>Results below the smallest normal number become zeros (FTZ).</summary>
    FlushToZero,
}

/// <summary>
/// The contract's operations, done wrong on purpose: to plant faults and to try which one explains another machine's
/// bits. Plain loops; never part of a result.
/// </summary>
public static unsafe class WrongArithmetic
{
    /// <summary>The words of `--inject op=...,variant=...`.</summary>
    public static IReadOnlyDictionary<string, Variant> Words { get; } =
        new Dictionary<string, Variant>
        {
            ["order"] = Variant.Order,
            ["split"] = Variant.Split,
            ["unfused"] = Variant.Unfused,
            ["tf32"] = Variant.Tf32,
            ["ftz"] = Variant.FlushToZero,
        };

    public static string Explain(Variant v) =>
        v switch
        {
            Variant.Order => "its sums run in another order",
            Variant.Split => "its sums are cut in two (split-k)",
            Variant.Unfused => "multiply and add are rounded apart (no fused multiply-add, or none contracted)",
            Variant.Tf32 => "its operands are rounded to TF32",
            _ => "subnormal results are flushed to zero",
        };

    /// <summary>The wrong ways known for an operation.</summary>
    public static IReadOnlyList<Variant> Of(OpId op) =>
        op switch
        {
            OpId.GemmNt or OpId.GemmNn or OpId.GemmTn =>
            [
                Variant.Order,
                Variant.Split,
                Variant.Unfused,
                Variant.Tf32,
                Variant.FlushToZero,
            ],
            OpId.LayerNormForward or OpId.ColumnSum or OpId.SquaredNorm or OpId.PoolForward =>
            [
                Variant.Order,
                Variant.FlushToZero,
            ],
            OpId.AdamW or OpId.Average => [Variant.Unfused, Variant.FlushToZero],
            _ => [Variant.FlushToZero],
        };

    /// <summary>
    /// Computes an operation in a wrong way that <see cref="Of"/> lists for it. Every operation that can be done wrong by
    /// more than flushing is matched by its type.
    /// </summary>
    internal static void Run<TOp>(Variant how, TOp op)
        where TOp : struct, IOperation, allows ref struct
    {
        switch (TOp.Id)
        {
            case OpId.GemmNt:
                Nt(how, The<TOp, GemmNtOp>(op));
                break;
            case OpId.GemmNn:
                Nn(how, The<TOp, GemmNnOp>(op));
                break;
            case OpId.GemmTn:
                Tn(how, The<TOp, GemmTnOp>(op));
                break;
            case OpId.LayerNormForward:
                LayerNorm(The<TOp, LayerNormForwardOp>(op));
                break;
            case OpId.PoolForward:
                Pool(The<TOp, PoolForwardOp>(op));
                break;
            case OpId.ColumnSum:
                ColumnSum(The<TOp, ColumnSumOp>(op));
                break;
            case OpId.SquaredNorm:
                SquaredNorm(The<TOp, SquaredNormOp>(op));
                break;
            case OpId.AdamW:
                AdamW(The<TOp, AdamWOp>(op));
                break;
            case OpId.Average:
                Average(The<TOp, AverageOp>(op));
                break;
            default:
                throw new InvalidOperationException($"{TOp.Id} is not done wrong by {how}");
        }
    }

    /// <summary>The operation as what its id says it is; a type that may be a ref struct has no other cast.</summary>
    private static T The<TOp, T>(TOp op)
        where TOp : struct, IOperation, allows ref struct
        where T : struct, IOperation =>
        typeof(TOp) == typeof(T) ? Unsafe.As<TOp, T>(ref op) : throw new InvalidCastException(typeof(TOp).Name);

    internal static void Flush(Mat x)
    {
        for (long i = 0; i < x.Count; i++)
            if (float.IsSubnormal(x.Data[i]))
                x.Data[i] = float.IsNegative(x.Data[i]) ? -0f : 0f;
    }

    private static void Nt(Variant how, GemmNtOp op)
    {
        var (y, x, w, e) = op;
        for (int m = 0; m < y.Rows; m++)
        for (int n = 0; n < y.Cols; n++)
            GemmOracle.Finish(y, m, n, Chain(how, x.Row(m), 1, w.Values.Row(n), 1, x.Cols, 0f) + 0f, e);
    }

    private static void Nn(Variant how, GemmNnOp op)
    {
        var (dx, dy, w, e) = op;
        for (int m = 0; m < dx.Rows; m++)
        for (int k = 0; k < dx.Cols; k++)
            GemmOracle.Finish(
                dx,
                m,
                k,
                Chain(how, dy.Row(m), 1, w.Values.Data + k, w.Values.Cols, dy.Cols, 0f) + 0f,
                e
            );
    }

    private static void Tn(Variant how, GemmTnOp op)
    {
        var (dw, dy, x, accumulate) = op;
        for (int n = 0; n < dw.Rows; n++)
        for (int k = 0; k < dw.Cols; k++)
            dw.Row(n)[k] =
                Chain(how, dy.Data + n, dy.Cols, x.Data + k, x.Cols, dy.Rows, accumulate ? dw.Row(n)[k] : 0f) + 0f;
    }

    private static float Chain(Variant how, float* a, nint aStep, float* b, nint bStep, int n, float acc)
    {
        switch (how)
        {
            case Variant.Order:
                for (nint k = n - 1; k >= 0; k--)
                    acc = MathF.FusedMultiplyAdd(a[k * aStep], b[k * bStep], acc);
                return acc;
            case Variant.Split:
                float right = 0f;
                for (nint k = 0; k < n / 2; k++)
                    acc = MathF.FusedMultiplyAdd(a[k * aStep], b[k * bStep], acc);
                for (nint k = n / 2; k < n; k++)
                    right = MathF.FusedMultiplyAdd(a[k * aStep], b[k * bStep], right);
                return acc + right;
            case Variant.Unfused:
                for (nint k = 0; k < n; k++)
                    acc += a[k * aStep] * b[k * bStep];
                return acc;
            default:
                for (nint k = 0; k < n; k++)
                    acc = MathF.FusedMultiplyAdd(Tf32(a[k * aStep]), Tf32(b[k * bStep]), acc);
                return acc;
        }
    }

    /// <summary>Round to ten bits of fraction, ties to even.</summary>
    private static float Tf32(float x)
    {
        uint bits = BitConverter.SingleToUInt32Bits(x);
        return float.IsFinite(x) ? BitConverter.UInt32BitsToSingle((bits + 0xfff + (bits >> 13 & 1)) & ~0x1fffu) : x;
    }

    /// <summary>One chain over a row where the contract sums in lanes.</summary>
    private static void LayerNorm(LayerNormForwardOp op)
    {
        var (y, stats, x, weight, bias, eps) = op;
        int d = x.Cols;
        for (int r = 0; r < x.Rows; r++)
        {
            float sum = 0f;
            float squares = 0f;
            for (int j = 0; j < d; j++)
                sum += x.Row(r)[j];
            float mean = sum / d;
            for (int j = 0; j < d; j++)
                squares = MathF.FusedMultiplyAdd(x.Row(r)[j] - mean, x.Row(r)[j] - mean, squares);
            float rstd = Unary.Rsqrt(squares / d + eps);
            for (int j = 0; j < d; j++)
                y.Row(r)[j] = MathF.FusedMultiplyAdd((x.Row(r)[j] - mean) * rstd, weight.Data[j], bias.Data[j]);
            (stats.Row(r)[0], stats.Row(r)[1]) = (mean, rstd);
        }
    }

    private static void Pool(PoolForwardOp op)
    {
        var (y, x, tokens) = op;
        for (int s = 0; s < y.Rows; s++)
        for (int c = 0; c < y.Cols; c++)
        {
            float acc = 0f;
            for (int t = tokens - 1; t >= 1; t--)
                acc += x.Row(s * tokens + t)[c];
            y.Row(s)[c] = (acc + 0f) / (tokens - 1);
        }
    }

    private static void ColumnSum(ColumnSumOp op)
    {
        var (acc, x, first, step) = op;
        int last = first + (x.Rows - 1 - first) / step * step;
        for (int c = 0; c < x.Cols; c++)
        {
            float a = acc.Data[c];
            for (int r = last; r >= first; r -= step)
                a += x.Row(r)[c];
            acc.Data[c] = a + 0f;
        }
    }

    private static void SquaredNorm(SquaredNormOp op)
    {
        var (norm, x) = op;
        float acc = 0f;
        for (long i = 0; i < x.Count; i++)
            acc = MathF.FusedMultiplyAdd(x.Data[i], x.Data[i], acc);
        norm.Data[0] = acc;
    }

    private static void AdamW(AdamWOp op)
    {
        var (p, m, v, g, s) = op;
        for (long i = 0; i < p.Count; i++)
        {
            float p1 = p.Data[i] * s.Decay;
            m.Data[i] += s.OneMinusBeta1 * (g.Data[i] - m.Data[i]);
            v.Data[i] = s.Beta2 * v.Data[i] + s.OneMinusBeta2 * (g.Data[i] * g.Data[i]);
            p.Data[i] = p1 - s.Step * (m.Data[i] / (MathF.Sqrt(v.Data[i]) / s.RootCorrection + s.Eps));
        }
    }

    private static void Average(AverageOp op)
    {
        var (e, p, oneMinusDecay) = op;
        for (long i = 0; i < p.Count; i++)
            e.Data[i] += oneMinusDecay * (p.Data[i] - e.Data[i]);
    }
}
