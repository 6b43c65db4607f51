using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Benchmarks;

/// <summary>The operations' tensors and cases. Memory lives as long as the process.</summary>
internal sealed unsafe class Operations
{
    private const int Images = 4;
    private const int Visible = 50;
    private const int Tokens = 197;
    private const int Patches = 196;
    private const int D = 768;
    private const int Hidden = 3072;
    private const int Heads = 12;
    private const int Pixels = 768;
    private const int Batch = 64;
    private const int HeadDim = 4096;
    private static readonly Arena arena = new();
    private readonly Device device;

    internal Operations(Device device)
    {
        this.device = device;
        Cases = [.. Products(), .. Attentions(), .. Rows(), .. Maps()];
    }

    internal IReadOnlyList<OperationCase> Cases { get; }

    private IEnumerable<OperationCase> Products()
    {
        foreach (
            var (rows, outputs, inputs) in new[]
            {
                (200, 2304, 768),
                (200, 768, 768),
                (788, 3072, 768),
                (788, 768, 3072),
                (788, 2048, 512),
            }
        )
        {
            Mat x = Noise(rows, inputs);
            Mat y = Noise(rows, outputs);
            Mat dw = Noise(outputs, inputs);
            Weight w = Packed(outputs, inputs);
            double flops = 2.0 * rows * outputs * inputs;
            yield return new(
                $"forward {rows}x{outputs}x{inputs}",
                flops,
                0,
                () => Gemm.Nt(device, y, x, w, Epilogue.None)
            );
            yield return new($"dX {rows}x{inputs}x{outputs}", flops, 0, () => Gemm.Nn(device, x, y, w, Epilogue.None));
            yield return new(
                $"dW {outputs}x{inputs}x{rows}",
                flops,
                0,
                () => Gemm.Tn(device, dw, y, x, accumulate: true)
            );
        }
        Mat a = Noise(788, D);
        Mat bias = Noise(1, Hidden);
        Mat act = Noise(788, Hidden);
        Mat pre = Noise(788, Hidden);
        Mat erf = Noise(788, Hidden);
        Mat da = Noise(788, D);
        Mat biasD = Noise(1, D);
        Mat residual = Noise(788, D);
        Weight fc1 = Packed(Hidden, D);
        Weight fc2 = Packed(D, Hidden);
        yield return new(
            "fc1 with bias and GELU",
            2.0 * 788 * Hidden * D,
            0,
            () => Gemm.Nt(device, act, a, fc1, Epilogue.BiasGelu(bias, pre, erf))
        );
        yield return new(
            "fc2 with bias and residual",
            2.0 * 788 * Hidden * D,
            0,
            () => Gemm.Nt(device, da, act, fc2, Epilogue.AddBiasResidual(biasD, residual))
        );
        yield return new(
            "fc2's dX with GELU backward",
            2.0 * 788 * Hidden * D,
            0,
            () => Gemm.Nn(device, act, da, fc2, Epilogue.GeluBackward(pre, erf))
        );
    }

    private IEnumerable<OperationCase> Attentions()
    {
        foreach (int n in new[] { Visible, Tokens })
        {
            Mat qkv = Noise(Images * n, 3 * D);
            Mat dQkv = Noise(Images * n, 3 * D);
            Mat output = Noise(Images * n, D);
            Mat dOutput = Noise(Images * n, D);
            Mat prob = Noise(Images * Heads * n, n);
            double flops = 4.0 * Images * n * n * D;
            yield return new(
                $"attention, {n} tokens",
                flops,
                0,
                () => Attention.Forward(device, output, prob, qkv, n, Heads, 0.125f)
            );
            yield return new(
                $"attention, {n} tokens, nothing kept",
                flops,
                0,
                () => Attention.Forward(device, output, default, qkv, n, Heads, 0.125f)
            );
            yield return new(
                $"attention backward, {n} tokens",
                2 * flops,
                0,
                () => Attention.Backward(device, dQkv, dOutput, prob, qkv, n, Heads, 0.125f)
            );
        }
    }

    private IEnumerable<OperationCase> Rows()
    {
        int rows = Images * Tokens;
        Mat x = Noise(rows, D);
        Mat y = Noise(rows, D);
        Mat dx = Noise(rows, D);
        Mat stats = Noise(rows, 2);
        Mat w = Noise(1, D);
        Mat b = Noise(1, D);
        Mat dw = Noise(1, D);
        Mat db = Noise(1, D);
        yield return Memory("layer norm", 2, x, () => LayerNorm.Forward(device, y, stats, x, w, b, 1e-6f));
        yield return Memory(
            "layer norm backward",
            4,
            x,
            () => LayerNorm.Backward(device, dx, dw, db, y, x, stats, w, y)
        );
        Mat h = Noise(Batch, HeadDim);
        Mat hy = Noise(Batch, HeadDim);
        Mat hs = Noise(2, HeadDim);
        Mat hw = Noise(1, HeadDim);
        Mat parts = Noise(Batch / 16, HeadDim);
        Mat parts2 = Noise(Batch / 16, HeadDim);
        Mat mean = Noise(1, HeadDim);
        Mat var = Noise(1, HeadDim);
        yield return Memory(
            "batch norm",
            2,
            h,
            () => BatchNorm.Forward(device, hy, hs, mean, var, h, hw, hw, 16, 0.1f, 1e-5f)
        );
        yield return Memory(
            "batch norm with running statistics",
            2,
            h,
            () => BatchNorm.Evaluate(device, hy, h, mean, hw, hw, hw, 1e-5f)
        );
        yield return Memory(
            "batch norm backward",
            3,
            h,
            () => BatchNorm.Backward(device, hy, parts, parts2, hy, h, hs, hw, 16)
        );
        Mat target = Noise(Images * Patches, Pixels);
        Mat pred = Noise(rows, Pixels);
        Mat dPred = Noise(rows, Pixels);
        Mat loss = Noise(Images, Patches);
        int[] restore = [.. Enumerable.Range(0, Images * Patches).Select(i => i % Patches)];
        int[] index = [.. Enumerable.Range(0, Images * (Visible - 1)).Select(i => i % (Visible - 1) * 4)];
        yield return Memory("patch targets normalised", 2, target, () => PatchTarget.Normalise(device, target));
        yield return Memory(
            "patch loss",
            3,
            target,
            () => PatchTarget.Loss(device, loss, dPred, pred, target, restore, Visible - 1, 1e-3f)
        );
        Mat patches = Noise(index.Length, D);
        Mat cls = Noise(1, D);
        Mat pos = Noise(Patches + 1, D);
        Mat embedded = Noise(Images * Visible, D);
        Mat mask = Noise(1, D);
        Mat restored = Noise(rows, D);
        yield return Memory(
            "tokens embedded",
            3,
            patches,
            () => Model.Ops.Tokens.Embed(device, embedded, patches, cls, pos, index)
        );
        yield return Memory(
            "tokens restored",
            2,
            restored,
            () => Model.Ops.Tokens.Restore(device, restored, embedded, mask, pos, restore, Visible - 1)
        );
        yield return Memory(
            "tokens restored, backward",
            1.25,
            restored,
            () => Model.Ops.Tokens.RestoreBackward(device, embedded, mask, restored, restore, Visible - 1)
        );
        Mat pooled = Noise(Images, D);
        yield return Memory("pooling", 1, x, () => Pooling.Forward(device, pooled, x));
        Mat q = Noise(Batch, D);
        Mat t = Noise(Batch, D);
        Mat dq = Noise(Batch, D);
        Mat l = Noise(Batch, 1);
        Mat logits = Noise(Batch, 1000);
        Mat labels = Noise(Batch, 1000);
        Mat dl = Noise(Batch, 1000);
        yield return Memory("context loss", 3, q, () => ContextLoss.Run(device, l, dq, q, t, -0.01f));
        yield return Memory("cross entropy", 3, logits, () => CrossEntropy.Run(device, l, dl, logits, labels, 0.1f));
    }

    private IEnumerable<OperationCase> Maps()
    {
        Mat x = Noise(788, Hidden);
        Mat y = Noise(788, Hidden);
        Mat z = Noise(788, Hidden);
        Mat sum = Noise(1, Hidden);
        Mat norm = Noise(1, 1);
        yield return Memory("GELU", 3, x, () => Gelu.Forward(device, y, z, x));
        yield return Memory("GELU backward", 4, x, () => Gelu.Backward(device, y, y, x, z));
        yield return Memory("ReLU", 2, x, () => Elementwise.Relu(device, y, x));
        yield return Memory("add", 3, x, () => Elementwise.Add(device, y, x, z));
        yield return Memory("scale", 2, x, () => Elementwise.Scale(device, y, x, 0.5f));
        yield return Memory("column sum", 1, x, () => Elementwise.ColumnSum(device, sum, x));
        yield return Memory("squared norm", 1, x, () => Elementwise.SquaredNorm(device, norm, x));
        Mat p = Noise(1, 8 << 20);
        Mat m = Noise(1, 8 << 20);
        Mat v = Noise(1, 8 << 20);
        Mat g = Noise(1, 8 << 20);
        Mat e = Noise(1, 8 << 20);
        foreach (ref float f in v.Span)
            f *= f;
        yield return Memory(
            "AdamW",
            7,
            p,
            () => AdamW.Update(device, p, m, v, g, new AdamWScalars(1f, 0.1f, 0.95f, 0.05f, 1f, 1e-6f, 1e-8f))
        );
        yield return Memory("teacher's average", 3, p, () => AdamW.Average(device, e, p, 0.004f));
        yield return new("digest", 0, 4.0 * p.Count, () => Digest.Of(p.Span));
    }

    /// <summary>passes: times the tensor is read or written.</summary>
    private static OperationCase Memory(string name, double passes, Mat tensor, Action run) =>
        new(name, 0, passes * tensor.Count * sizeof(float), run);

    private static Mat Noise(int rows, int cols)
    {
        Mat m = arena.Matrix(rows, cols);
        var random = new Philox(1, Purpose.Test, (ulong)(rows * 31 + cols), 0, 0);
        // weights of a trained network's size keep GELU's arguments where they are in training
        foreach (ref float v in m.Span)
            v = 0.25f * (2f * random.NextFloat() - 1f);
        return m;
    }

    private Weight Packed(int outputs, int inputs)
    {
        Mat w = Noise(outputs, inputs);
        var packed = Weight.For(device, arena, w);
        packed.PackForward(device);
        packed.PackBackward(device);
        return packed;
    }
}
