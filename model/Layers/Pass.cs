using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Model.Layers;

/// <summary>
/// What a pass reads and writes besides activations: where it runs, its weights and, going backward, the leaf gradients
/// it continues.
/// </summary>
public readonly unsafe struct Pass
{
    public readonly Device Device;
    public readonly Weights Weights;
    private readonly float* gradients;

    /// <summary>Matrices have no gradient in the leaf yet: theirs are overwritten, not continued.</summary>
    public readonly bool First;

    public Pass(Device device, Weights weights)
    {
        Device = device;
        Weights = weights;
    }

    /// <summary>Grains whose leaf gradients this pass makes, each tensor's beside each other.</summary>
    public readonly int Leaves = 1;

    /// <param name="gradients">A flat buffer in the weights' layout, every tensor leaves times.</param>
    /// <param name="first">See <see cref="First"/>.</param>
    /// <param name="leaves">See <see cref="Leaves"/>.</param>
    public Pass(Device device, Weights weights, float* gradients, bool first, int leaves = 1)
        : this(device, weights)
    {
        this.gradients = gradients;
        First = first;
        Leaves = leaves;
    }

    public Mat Value(Entry e) => Weights.Value(e);

    /// <summary>[R, C], or [L*R, C] where the pass makes L leaves at once.</summary>
    public Mat Gradient(Entry e) => new(gradients + e.Offset * Leaves, e.Rows * Leaves, e.Cols);
}
