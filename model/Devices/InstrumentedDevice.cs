using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Devices;

/// <summary>
/// Called with what an operation wrote. tensor: the parameter that it reads or makes the gradient of, or null.
/// </summary>
public delegate void Watcher(string op, string? tensor, string output, Mat value);

/// <summary>
/// A device of the host whose operations are watched one by one (`lut trace`), or of which one kind is computed in a
/// way the contract forbids (`--inject op=...`), to see such a fault found and explained. With neither it only passes
/// calls on.
/// </summary>
public sealed unsafe class InstrumentedDevice(Device inner) : Device
{
    /// <summary>Operations that a run may call, by name: forward and backward of layers, losses, updates.</summary>
    public static IReadOnlyList<string> Operations { get; } =
    [
        "GemmNt",
        "GemmNn",
        "GemmTn",
        "GeluForward",
        "GeluBackward",
        "LayerNormForward",
        "LayerNormBackward",
        "BatchNormForward",
        "BatchNormEvaluate",
        "BatchNormBackward",
        "AttentionForward",
        "AttentionBackward",
        "TokensEmbed",
        "TokensEmbedBackward",
        "TokensRestore",
        "TokensRestoreBackward",
        "PatchifyEmbed",
        "PatchifyTarget",
        "PoolForward",
        "PoolBackward",
        "PatchNormalise",
        "PatchLoss",
        "ContextLoss",
        "CrossEntropy",
        "Add",
        "Scale",
        "Relu",
        "DropPath",
        "ColumnSum",
        "LeavesTree",
        "SquaredNorm",
        "AdamW",
        "Average",
    ];

    public static string PhaseOf(string op) =>
        op is "AdamW" or "Average" or "SquaredNorm" or "Scale" ? "optimizer"
        : op.EndsWith("Backward", StringComparison.Ordinal)
        || op is "GemmNn" or "GemmTn" or "ColumnSum" or "Add" or "LeavesTree"
            ? "backward"
        : "forward";

    public Watcher? Watch { get; set; }

    /// <summary>The kind of operation that is computed wrongly, and how; null for none.</summary>
    public (string Op, Variant How)? Fault { get; set; }

    /// <summary>Which parameter an address belongs to, for <see cref="Watch"/>.</summary>
    public Func<nint, string?>? NameOf { get; set; }

    public override string Name => inner.Name;

    public override long PackedFloats(int k, int columns) => inner.PackedFloats(k, columns);

    public override int UpdateChunk => inner.UpdateChunk;

    internal override int AttentionKept(int tokens) => inner.AttentionKept(tokens);

    public override void Pack(float* panels, float* source, nint ks, nint js, int k, int columns) =>
        inner.Pack(panels, source, ks, js, k, columns);

    private bool Wrong(string op, out Variant how)
    {
        how = Fault?.How ?? default;
        return Fault is { } f && f.Op == op && how != Variant.FlushToZero;
    }

    /// <summary>After an operation: results that flushing would lose, and whoever watches.</summary>
    private void Done(string op, Mat parameter, params ReadOnlySpan<(string Name, Mat Value)> outputs)
    {
        if (Fault is { How: Variant.FlushToZero } f && f.Op == op)
            foreach (var (_, value) in outputs)
                WrongArithmetic.Flush(value);
        if (Watch is null)
            return;
        string? tensor = parameter.IsEmpty ? null : NameOf?.Invoke((nint)parameter.Data);
        foreach (var (name, value) in outputs)
            if (!value.IsEmpty)
                Watch(op, tensor, name, value);
    }

    internal override void GemmNt(Mat y, Mat x, Weight w, in Epilogue e)
    {
        if (Wrong("GemmNt", out var how))
            WrongArithmetic.Nt(how, y, x, w, e);
        else
            inner.GemmNt(y, x, w, e);
        Done("GemmNt", w.Values, ("y", y));
    }

    internal override void GemmNn(Mat dx, Mat dy, Weight w, in Epilogue e)
    {
        if (Wrong("GemmNn", out var how))
            WrongArithmetic.Nn(how, dx, dy, w, e);
        else
            inner.GemmNn(dx, dy, w, e);
        Done("GemmNn", w.Values, ("dx", dx));
    }

    internal override void GemmTn(Mat dw, Mat dy, Mat x, bool accumulate)
    {
        if (Wrong("GemmTn", out var how))
            WrongArithmetic.Tn(how, dw, dy, x, accumulate);
        else
            inner.GemmTn(dw, dy, x, accumulate);
        Done("GemmTn", dw, ("dw", dw));
    }

    internal override void GeluForward(Mat y, Mat erf, Mat x)
    {
        inner.GeluForward(y, erf, x);
        Done("GeluForward", default, ("y", y), ("erf", erf));
    }

    internal override void GeluBackward(Mat dx, Mat dy, Mat x, Mat erf)
    {
        inner.GeluBackward(dx, dy, x, erf);
        Done("GeluBackward", default, ("dx", dx));
    }

    internal override void LayerNormForward(Mat y, Mat stats, Mat x, Mat weight, Mat bias, float eps)
    {
        if (Wrong("LayerNormForward", out _))
            WrongArithmetic.LayerNorm(y, stats, x, weight, bias, eps);
        else
            inner.LayerNormForward(y, stats, x, weight, bias, eps);
        Done("LayerNormForward", weight, ("y", y), ("stats", stats));
    }

    internal override void LayerNormBackward(
        Mat dx,
        Mat dWeight,
        Mat dBias,
        Mat dy,
        Mat x,
        Mat stats,
        Mat weight,
        Mat residual
    )
    {
        inner.LayerNormBackward(dx, dWeight, dBias, dy, x, stats, weight, residual);
        Done("LayerNormBackward", weight, ("dx", dx), ("dWeight", dWeight), ("dBias", dBias));
    }

    internal override void BatchNormForward(
        Mat y,
        Mat stats,
        Mat runningMean,
        Mat runningVar,
        Mat x,
        Mat weight,
        Mat bias,
        int grain,
        float momentum,
        float eps
    )
    {
        inner.BatchNormForward(y, stats, runningMean, runningVar, x, weight, bias, grain, momentum, eps);
        Done(
            "BatchNormForward",
            runningMean,
            ("y", y),
            ("stats", stats),
            ("running_mean", runningMean),
            ("running_var", runningVar)
        );
    }

    internal override void BatchNormEvaluate(
        Mat y,
        Mat x,
        Mat runningMean,
        Mat runningVar,
        Mat weight,
        Mat bias,
        float eps
    )
    {
        inner.BatchNormEvaluate(y, x, runningMean, runningVar, weight, bias, eps);
        Done("BatchNormEvaluate", runningMean, ("y", y));
    }

    internal override void BatchNormBackward(
        Mat dx,
        Mat dWeightParts,
        Mat dBiasParts,
        Mat dy,
        Mat x,
        Mat stats,
        Mat weight,
        int grain
    )
    {
        inner.BatchNormBackward(dx, dWeightParts, dBiasParts, dy, x, stats, weight, grain);
        Done("BatchNormBackward", weight, ("dx", dx), ("dWeight", dWeightParts), ("dBias", dBiasParts));
    }

    internal override void AttentionForward(Mat output, Mat prob, Mat qkv, int tokens, int heads, float scale)
    {
        inner.AttentionForward(output, prob, qkv, tokens, heads, scale);
        Done("AttentionForward", default, ("y", output), ("prob", prob));
    }

    internal override void AttentionBackward(
        Mat dQkv,
        Mat dOutput,
        Mat prob,
        Mat qkv,
        int tokens,
        int heads,
        float scale
    )
    {
        inner.AttentionBackward(dQkv, dOutput, prob, qkv, tokens, heads, scale);
        Done("AttentionBackward", default, ("dQkv", dQkv));
    }

    internal override void TokensEmbed(Mat x, Mat patches, Mat cls, Mat pos, ReadOnlySpan<int> index, int kept)
    {
        inner.TokensEmbed(x, patches, cls, pos, index, kept);
        Done("TokensEmbed", cls, ("x", x));
    }

    internal override void TokensEmbedBackward(
        Mat dPatches,
        Mat dCls,
        Mat dPos,
        Mat dx,
        ReadOnlySpan<int> index,
        int kept
    )
    {
        inner.TokensEmbedBackward(dPatches, dCls, dPos, dx, index, kept);
        Done("TokensEmbedBackward", dCls, ("dPatches", dPatches), ("dCls", dCls), ("dPos", dPos));
    }

    internal override void TokensRestore(Mat z, Mat y, Mat maskToken, Mat pos, ReadOnlySpan<int> restore, int kept)
    {
        inner.TokensRestore(z, y, maskToken, pos, restore, kept);
        Done("TokensRestore", maskToken, ("z", z));
    }

    internal override void TokensRestoreBackward(Mat dy, Mat dMaskToken, Mat dz, ReadOnlySpan<int> restore, int kept)
    {
        inner.TokensRestoreBackward(dy, dMaskToken, dz, restore, kept);
        Done("TokensRestoreBackward", dMaskToken, ("dy", dy), ("dMaskToken", dMaskToken));
    }

    internal override void PatchifyEmbed(Mat output, Mat images, ReadOnlySpan<int> index, PatchGrid grid)
    {
        inner.PatchifyEmbed(output, images, index, grid);
        Done("PatchifyEmbed", default, ("columns", output));
    }

    internal override void PatchifyTarget(Mat output, Mat images, PatchGrid grid)
    {
        inner.PatchifyTarget(output, images, grid);
        Done("PatchifyTarget", default, ("target", output));
    }

    internal override void PoolForward(Mat y, Mat x, int tokens)
    {
        if (Wrong("PoolForward", out _))
            WrongArithmetic.Pool(y, x, tokens);
        else
            inner.PoolForward(y, x, tokens);
        Done("PoolForward", default, ("y", y));
    }

    internal override void PoolBackward(Mat dx, Mat dy, int tokens)
    {
        inner.PoolBackward(dx, dy, tokens);
        Done("PoolBackward", default, ("dx", dx));
    }

    internal override void PatchNormalise(Mat target)
    {
        inner.PatchNormalise(target);
        Done("PatchNormalise", default, ("target", target));
    }

    internal override void PatchLoss(
        Mat loss,
        Mat dPred,
        Mat pred,
        Mat target,
        ReadOnlySpan<int> restore,
        int kept,
        float scale
    )
    {
        inner.PatchLoss(loss, dPred, pred, target, restore, kept, scale);
        Done("PatchLoss", default, ("loss", loss), ("dPred", dPred));
    }

    internal override void ContextLoss(Mat loss, Mat dq, Mat q, Mat t, float k)
    {
        inner.ContextLoss(loss, dq, q, t, k);
        Done("ContextLoss", default, ("loss", loss), ("dq", dq));
    }

    internal override void CrossEntropy(Mat loss, Mat dx, Mat x, Mat target, float scale)
    {
        inner.CrossEntropy(loss, dx, x, target, scale);
        Done("CrossEntropy", default, ("loss", loss), ("dx", dx));
    }

    internal override void Add(Mat y, Mat a, Mat b)
    {
        inner.Add(y, a, b);
        Done("Add", default, ("y", y));
    }

    internal override void Scale(Mat y, Mat x, float s)
    {
        inner.Scale(y, x, s);
        Done("Scale", y, ("y", y));
    }

    internal override void Relu(Mat y, Mat x, Mat gate)
    {
        inner.Relu(y, x, gate);
        Done("Relu", default, ("y", y));
    }

    internal override void DropPath(Mat y, Mat residual, Mat branch, ReadOnlySpan<bool> kept, float keep)
    {
        inner.DropPath(y, residual, branch, kept, keep);
        Done("DropPath", default, ("y", y));
    }

    internal override void ColumnSum(Mat acc, Mat x, int first, int step)
    {
        if (Wrong("ColumnSum", out _))
            WrongArithmetic.ColumnSum(acc, x, first, step);
        else
            inner.ColumnSum(acc, x, first, step);
        Done("ColumnSum", acc, ("sum", acc));
    }

    internal override void LeavesTree(Mat sum, Mat leaves)
    {
        inner.LeavesTree(sum, leaves);
        Done("LeavesTree", sum, ("sum", sum));
    }

    internal override void SquaredNorm(Mat norm, Mat x)
    {
        if (Wrong("SquaredNorm", out _))
            WrongArithmetic.SquaredNorm(norm, x);
        else
            inner.SquaredNorm(norm, x);
        Done("SquaredNorm", x, ("norm", norm));
    }

    internal override void AdamW(Mat p, Mat m, Mat v, Mat g, in AdamWScalars s)
    {
        if (Wrong("AdamW", out _))
            WrongArithmetic.AdamW(p, m, v, g, s);
        else
            inner.AdamW(p, m, v, g, s);
        Done("AdamW", p, ("p", p), ("exp_avg", m), ("exp_avg_sq", v));
    }

    internal override void Average(Mat e, Mat p, float oneMinusDecay)
    {
        if (Wrong("Average", out _))
            WrongArithmetic.Average(e, p, oneMinusDecay);
        else
            inner.Average(e, p, oneMinusDecay);
        Done("Average", e, ("teacher", e));
    }
}
