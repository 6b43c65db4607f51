using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Benchmarks;

/// <summary>
/// The operations that show in a profile of fashion-lut@1, at its shapes (a grain of 32 images), one thread, on the device this machine chooses.
/// The first row is the baseline: compare ratios, not times, between machines.
/// </summary>
public unsafe class OperationBenchmarks
{
    private readonly Arena arena = new();
    private Device device = null!;
    private Weight fc1, fc2;
    private Mat x, hidden, pre, erf, dx, dw, bias, qkv, att, prob, stats, gain;

    [GlobalSetup]
    public void Setup()
    {
        device = Cpu.Best();
        const int Rows = 32 * 17, D = 128, M = 512;
        (x, hidden, pre, erf, dx) = (Noise(Rows, D), Noise(Rows, M), Noise(Rows, M), Noise(Rows, M), Noise(Rows, D));
        (dw, bias, gain, stats) = (Noise(M, D), Noise(1, M), Noise(1, D), Noise(Rows, 2));
        (qkv, att, prob) = (Noise(Rows, 3 * D), Noise(Rows, D), Noise(32 * 4 * 17, 17));
        (fc1, fc2) = (Packed(M, D), Packed(D, M));
    }

    [GlobalCleanup]
    public void Cleanup() => arena.Dispose();

    [Benchmark(Baseline = true, Description = "fc1 forward 544x512x128")]
    public void Forward() => Gemm.Nt(device, hidden, x, fc1, Epilogue.None);

    [Benchmark(Description = "fc1 forward with bias and GELU")]
    public void ForwardGelu() => Gemm.Nt(device, hidden, x, fc1, Epilogue.BiasGelu(bias, pre, erf));

    [Benchmark(Description = "fc1 dx 544x128x512")]
    public void BackwardInput() => Gemm.Nn(device, dx, hidden, fc1, Epilogue.None);

    [Benchmark(Description = "fc1 dW 512x128x544")]
    public void BackwardWeight() => Gemm.Tn(device, dw, hidden, x, accumulate: false);

    [Benchmark(Description = "GELU 544x512")]
    public void GeluForward() => Gelu.Forward(device, pre, erf, hidden);

    [Benchmark(Description = "layer norm 544x128")]
    public void Norm() => LayerNorm.Forward(device, dx, stats, x, gain, gain, 1e-6f);

    [Benchmark(Description = "attention 32 x 4 heads x 17 tokens")]
    public void AttentionForward() => Attention.Forward(device, att, prob, qkv, 17, 4, 0.176776695f);

    private Mat Noise(int rows, int cols)
    {
        Mat m = arena.Matrix(rows, cols);
        var random = new Philox(1, Purpose.Test, (ulong)(rows * 31 + cols), 0, 0);
        // weights of a trained network's size keep GELU's arguments where they are in training
        foreach (ref float v in m.Span) v = 0.25f * (2f * random.NextFloat() - 1f);
        return m;
    }

    private Weight Packed(int outputs, int inputs)
    {
        Mat w = Noise(outputs, inputs);
        var packed = new Weight(w, arena.Floats(device.PackedFloats(inputs, outputs)), arena.Floats(device.PackedFloats(outputs, inputs)));
        device.Pack(packed.ForwardPanels, w.Data, 1, inputs, inputs, outputs);
        device.Pack(packed.BackwardPanels, w.Data, inputs, 1, outputs, inputs);
        return packed;
    }
}

internal static class Program
{
    private static void Main(string[] args) => BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly)
        .Run(args.Length == 0 ? ["--filter", "*"] : args, DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessNoEmitToolchain.Instance)));
}
