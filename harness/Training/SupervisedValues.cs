using LutNative.Harness.Protocol;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Harness.Training;

/// <summary>
/// What supervised training has in its arena: the classifier's values, a step's buffers and the moments.
/// </summary>
internal sealed class SupervisedValues
{
    /// <param name="arena">Of the device; gradients join with the first step.</param>
    internal SupervisedValues(FinetuneSpec f, Classifier net, Device device, Pool pool, ExecOptions exec, Arena arena)
    {
        State = new State(net.Layout, arena);
        Weights = new Weights(State, device, arena, backward: true);
        Step = new ClassifierStep(net, Weights, device, pool, arena, PlanOf(f, device, exec));
        Optimizer = new AdamWOptimizer(
            device,
            State,
            arena,
            f.Beta1,
            f.Beta2,
            f.Eps,
            net.Groups(f.LayerDecay, f.WeightDecay)
        );
    }

    internal State State { get; }
    internal Weights Weights { get; }
    internal ClassifierStep Step { get; }
    internal AdamWOptimizer Optimizer { get; }

    internal static BatchPlan PlanOf(FinetuneSpec f, Device device, ExecOptions exec) =>
        exec.PlanOf(device, f.Batch, f.Batch, f.Grain);
}
