using LutNative.Model.Devices;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Optim;

/// <summary>
/// Leaf gradients of several grains at once. Each tensor's leaves lie beside each other; folded by T they are one node
/// of the gradient tree, since their number is a power of two and the group is aligned. With one grain at once the leaf
/// is the node.
/// </summary>
internal sealed class LeafGroup(Device device, StateLayout layout, Arena arena, int leaves)
{
    private readonly Gradient group = leaves == 1 ? default : arena.Gradient(layout, leaves);
    private readonly Entry[] trained = [.. layout.Entries.Where(e => e.Kind == EntryKind.Parameter)];
    private readonly Entry[] continued =
    [
        .. layout.Entries.Where(e => e.Kind == EntryKind.Parameter).Except(layout.Matrices),
    ];

    /// <summary>
    /// Where the passes of a group write: node itself, or a buffer whose continued tensors are cleared.
    /// </summary>
    internal Gradient Begin(Gradient node)
    {
        if (leaves == 1)
            return node;
        foreach (var e in continued)
            device.Clear(group[e]);
        return group;
    }

    internal void Fold(Gradient node)
    {
        if (leaves == 1)
            return;
        foreach (var e in trained)
            Leaves.Tree(device, node[e], group[e]);
    }
}
