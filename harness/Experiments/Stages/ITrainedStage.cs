using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Harness.Experiments.Stages;

/// <summary>
/// A stage that trains a network of its own from images: `lut bench` can measure its steps, and `lut trace` can repeat
/// them one by one.
/// </summary>
public interface ITrainedStage : IStage
{
    /// <summary>Whether `lut bench` measures it under its own name: a stage with the steps of another is not.</summary>
    bool IsBenched { get; }

    /// <summary>Samples of one optimiser step.</summary>
    int Batch(ProtocolSpec p);

    /// <summary>Samples whose gradient is one chain.</summary>
    int Grain(ProtocolSpec p);

    /// <summary>Floating-point operations of matrix products, forward and backward.</summary>
    double FlopsPerImage(ProtocolSpec p);

    /// <param name="trunk">Pre-trained values to start from, where <see cref="IStage.Input"/> says so; else null.</param>
    Trainer NewTrainer(
        ProtocolSpec p,
        Views views,
        Device device,
        Pool pool,
        ExecOptions exec,
        State? trunk = null,
        BenchOptions? bench = null
    );
}
