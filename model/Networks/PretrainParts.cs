using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Threads;

namespace LutNative.Model.Networks;

/// <summary>What the three phases of a pre-training step share.</summary>
/// <param name="Teacher">Null for MAE.</param>
internal sealed record PretrainParts(
    Lut Net,
    Weights Student,
    Weights? Teacher,
    Device Device,
    Pool Pool,
    BatchPlan Plan,
    MaskPlan Mask,
    PretrainBuffers Buffers
);
