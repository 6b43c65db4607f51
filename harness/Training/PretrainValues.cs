using LutNative.Harness.Protocol;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;

namespace LutNative.Harness.Training;

/// <summary>
/// What pre-training keeps from its first step to its last: student, teacher (none for MAE) and moments.
/// </summary>
internal sealed class PretrainValues
{
    /// <param name="arena">Of the device.</param>
    internal PretrainValues(PretrainSpec p, Lut net, Device device, Arena arena)
    {
        Student = new State(net.Layout, arena);
        Weights = new Weights(Student, device, arena, backward: true);
        if (net.Options.Context)
        {
            Teacher = new State(net.Layout, arena);
            TeacherWeights = new Weights(Teacher, device, arena, backward: false);
        }
        // timm optim_factory.py:29-41: no decay for one-dimensional tensors; cls_token and mask_token are decayed
        Optimizer = new AdamWOptimizer(
            device,
            Student,
            arena,
            p.Beta1,
            p.Beta2,
            p.Eps,
            e => new ParameterGroup(1.0, e.Shape.Length == 1 ? 0.0 : p.WeightDecay)
        );
    }

    internal State Student { get; }
    internal Weights Weights { get; }
    internal State? Teacher { get; }
    internal Weights? TeacherWeights { get; }
    internal AdamWOptimizer Optimizer { get; }
}
