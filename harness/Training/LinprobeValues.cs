using LutNative.Harness.Protocol;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;

namespace LutNative.Harness.Training;

/// <summary>
/// What the linear probe has in its arena, on the host: head = Sequential(BatchNorm1d, Linear) with its momentum, and
/// the buffers of a step of B samples with features of D channels.
/// </summary>
internal sealed class LinprobeValues
{
    internal LinprobeValues(LinprobeSpec l, int width, int classes, Device host, Arena arena)
    {
        var layout = new StateLayout();
        Mean = layout.Add("head.0.running_mean", [width], EntryKind.Buffer);
        Variance = layout.Add("head.0.running_var", [width], EntryKind.Buffer);
        Counter = layout.AddCounter("head.0.num_batches_tracked");
        Head = new Linear(layout, "head.1", classes, width);
        State = new State(layout, arena);
        Weights = new Weights(State, host, arena, backward: false);
        Optimizer = new Lars(host, State, arena, l.Momentum, l.TrustCoefficient, l.WeightDecay);
        Tree = new GradientTree(host, layout, arena, layout.Matrices);
        Ones = arena.Vector(width);
        Zeros = arena.Vector(width);
        Stats = arena.Matrix(2, width);
        Features = arena.Matrix(l.Batch, width);
        Normed = arena.Matrix(l.Batch, width);
        Logits = arena.Matrix(l.Batch, classes);
        Target = arena.Matrix(l.Batch, classes);
        Loss = arena.Matrix(l.Batch, 1);
    }

    internal Entry Mean { get; }
    internal Entry Variance { get; }
    internal int Counter { get; }
    internal Linear Head { get; }
    internal State State { get; }
    internal Weights Weights { get; }
    internal Lars Optimizer { get; }
    internal GradientTree Tree { get; }
    internal Mat Ones { get; } // [1, D], batch norm's weight
    internal Mat Zeros { get; } // [1, D], batch norm's bias
    internal Mat Stats { get; } // [2, D]
    internal Mat Features { get; } // [B, D]
    internal Mat Normed { get; } // [B, D]
    internal Mat Logits { get; } // [B, classes]
    internal Mat Target { get; } // [B, classes]
    internal Mat Loss { get; } // [B, 1]
}

/// <summary>What evaluating the linear probe on N images needs besides.</summary>
internal sealed class LinprobeScores(int images, int width, int classes, Arena arena)
{
    internal Mat Features { get; } = arena.Matrix(images, width); // [N, D]
    internal Mat Normed { get; } = arena.Matrix(images, width); // [N, D]
    internal Mat Logits { get; } = arena.Matrix(images, classes); // [N, classes]
}
