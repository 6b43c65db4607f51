using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Model.Layers;

/// <summary>
/// What a pass reads and writes besides activations: where it runs, its weights and, going backward, the leaf gradients
/// it continues.
/// </summary>
public readonly struct Pass
{
    public readonly Device Device;
    public readonly Weights Weights;
    private readonly Gradient gradients;

    /// <summary>Matrices have no gradient in the leaf yet: theirs are overwritten, not continued.</summary>
    public readonly bool First;

    public Pass(Device device, Weights weights)
    {
        Device = device;
        Weights = weights;
    }

    /// <param name="gradients">Of the weights' layout; L leaves where the pass makes those of L grains at once.</param>
    /// <param name="first">See <see cref="First"/>.</param>
    public Pass(Device device, Weights weights, Gradient gradients, bool first)
        : this(device, weights)
    {
        this.gradients = gradients;
        First = first;
    }

    public Mat Value(Entry e) => Weights.Value(e);

    /// <summary>Grains whose leaf gradients this pass makes, each tensor's beside each other.</summary>
    public int Leaves => gradients.Leaves;

    /// <summary>[R, C], or [L*R, C] where the pass makes L leaves at once.</summary>
    public Mat Gradient(Entry e) => gradients[e];
}
