using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;
using LutNative.Model.Tests.Numerics;

namespace LutNative.Model.Tests.Ops;

/// <summary>Where a case builds its tensors and runs: one device, with what the case wrote.</summary>
internal sealed class OpBench(Device device) : IDisposable
{
    /// <summary>Rows and columns: one, a vector less and more, primes, a model's.</summary>
    public static (int Rows, int Cols)[] Sizes => [(1, 1), (3, 17), (5, 63), (4, 64), (7, 65), (6, 385), (33, 128)];

    private readonly Arena arena = device.NewArena();
    private int seed = 1;

    public Device Device { get; } = device;
    public List<(string Name, Mat Value)> Outputs { get; } = [];

    /// <summary>A tensor of Philox noise; the same on every device.</summary>
    public Mat In(int rows, int cols, float scale = 2f)
    {
        Mat m = arena.Matrix(rows, cols);
        Device.Write(m, Inputs.Floats(rows * cols, seed++, scale));
        return m;
    }

    public Mat Out(string name, int rows, int cols) => Watch(name, In(rows, cols));

    public Mat Watch(string name, Mat m)
    {
        Outputs.Add((name, m));
        return m;
    }

    /// <summary>Non-negative noise, for variances.</summary>
    public Mat Square(int rows, int cols)
    {
        Mat m = arena.Matrix(rows, cols);
        Device.Write(m, [.. Inputs.Floats(rows * cols, seed++, 2f).Select(x => x * x)]);
        return m;
    }

    public Weight Weight(int outputs, int inputs)
    {
        var packed = Model.Ops.Weight.For(Device, arena, In(outputs, inputs));
        packed.PackForward(Device);
        packed.PackBackward(Device);
        return packed;
    }

    public void Dispose() => arena.Dispose();

    /// <summary>A permutation of n places, the same for a seed.</summary>
    public static int[] Shuffled(int n, int seed)
    {
        ulong[] keys =
        [
            .. Enumerable
                .Range(0, n)
                .Select(i => (ulong)Philox.Block((uint)i, (uint)seed, 0, 0, 1, 1).Item1 << 32 | (uint)i),
        ];
        Array.Sort(keys);
        return [.. keys.Select(k => (int)(uint)k)];
    }
}
