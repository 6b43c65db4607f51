using LutNative.Harness.Protocol;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;

namespace LutNative.Harness.Evaluation;

/// <summary>
/// What the linear probe needs besides its features: N training and T test images of D channels, batches of B, on the
/// host.
/// </summary>
internal sealed class LinearProbeBuffers
{
    internal LinearProbeBuffers(ProbeSpec spec, int train, int test, int width, int classes, Device device, Arena arena)
    {
        int batch = BatchOf(spec, train);
        Train = arena.Matrix(train, width);
        Test = arena.Matrix(test, width);
        Mean = arena.Vector(width);
        Square = arena.Vector(width);
        var layout = new StateLayout();
        Head = new Linear(layout, "head", classes, width);
        State = new State(layout, arena);
        Gradient = arena.Gradient(layout);
        Weights = new Weights(State, device, arena, backward: false);
        Optimizer = new AdamWOptimizer(
            device,
            State,
            arena,
            0.9,
            0.999,
            1e-8,
            e => new ParameterGroup(1.0, e.Shape.Length == 1 ? 0.0 : spec.WeightDecay)
        );
        Batch = arena.Matrix(batch, width);
        Logits = arena.Matrix(batch, classes);
        Target = arena.Matrix(batch, classes);
        Loss = arena.Matrix(batch, 1);
        Scores = arena.Matrix(test, classes);
    }

    internal Mat Train { get; } // [N, D], standardised
    internal Mat Test { get; } // [T, D], standardised
    internal Mat Mean { get; } // [1, D]
    internal Mat Square { get; } // [1, D], variance, then 1/sqrt of it
    internal Linear Head { get; }
    internal State State { get; }
    internal Gradient Gradient { get; }
    internal Weights Weights { get; }
    internal AdamWOptimizer Optimizer { get; }
    internal Mat Batch { get; } // [B, D]
    internal Mat Logits { get; } // [B, classes]
    internal Mat Target { get; } // [B, classes]
    internal Mat Loss { get; } // [B, 1]
    internal Mat Scores { get; } // [T, classes]

    internal static int BatchOf(ProbeSpec spec, int train) => Math.Min(spec.Batch, train);
}
