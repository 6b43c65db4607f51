using LutNative.Model.Devices;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Optim;

/// <summary>
/// T over the leaf gradients of grains (docs/NUMERICS.md), in whatever order grains finish: a node waits for its
/// sibling, and whoever brings the second of a pair adds left + right. A node without a sibling moves up as it is,
/// which is exactly T(left p) + T(rest) with p the largest power of two below n. Buffers are recycled: about one a
/// worker and one a level.
/// </summary>
/// <param name="overwritten">
/// Tensors whose first contribution overwrites what is there: a leaf's are not cleared (most of its bytes).
/// </param>
public sealed class GradientTree(Device device, StateLayout layout, Arena arena, IEnumerable<Entry>? overwritten = null)
{
    private readonly (long Start, long Count)[] cleared = [.. Others(layout.Length, overwritten ?? [])];
    private readonly Dictionary<(int Level, int Index), Gradient> waiting = [];
    private readonly Stack<Gradient> free = [];
    private readonly List<Gradient> all = [];
    private int leaves;
    private Gradient root;

    /// <summary>
    /// Buffers in use at the most when grains end in the order in which they began, as they do with one worker: one a
    /// worker, and the sums of a whole prefix of leaves that wait for a sibling, one for each binary digit of its
    /// length. A worker that lags behind can cost a few more.
    /// </summary>
    public static int Buffers(int leaves, int workers)
    {
        int running = Math.Min(leaves, workers);
        return running + System.Numerics.BitOperations.Log2((uint)(leaves - running) + 1);
    }

    /// <summary>Takes from an arena what a tree will have taken from it after a step, to count it.</summary>
    public static void Reserve(StateLayout layout, Arena arena, int leaves, int workers)
    {
        for (int i = 0; i < Buffers(leaves, workers); i++)
            arena.Gradient(layout);
    }

    public void Begin(int leafCount)
    {
        if (!root.IsEmpty)
            free.Push(root);
        foreach (var left in waiting.Values)
            free.Push(left);
        waiting.Clear();
        root = default;
        leaves = leafCount;
    }

    /// <summary>A gradient to write a leaf into, zeroed but for the tensors that are overwritten.</summary>
    public Gradient Rent()
    {
        Gradient leaf;
        lock (waiting)
            if (!free.TryPop(out leaf))
            {
                leaf = arena.Gradient(layout);
                all.Add(leaf);
                return leaf;
            }
        foreach (var (start, count) in cleared)
            device.Clear(leaf.Slice(start, checked((int)count)));
        return leaf;
    }

    /// <summary>Hands in a finished leaf; the buffer belongs to the tree from here on.</summary>
    public void Add(int leaf, Gradient buffer)
    {
        var mine = buffer;
        for (int level = 0, index = leaf; ; level++, index >>= 1)
        {
            if (1L << level >= leaves)
            {
                root = mine;
                return;
            }
            int sibling = index ^ 1;
            if ((long)sibling << level >= leaves)
                continue;
            Gradient other;
            lock (waiting)
                if (!waiting.Remove((level, sibling), out other))
                {
                    waiting.Add((level, index), mine);
                    return;
                }
            var (left, right) = (index & 1) == 0 ? (mine, other) : (other, mine);
            AddInto(left, right);
            lock (waiting)
                free.Push(right);
            mine = left;
        }
    }

    /// <summary>Where in the layout an address in one of the buffers is; null for any other.</summary>
    public long? OffsetOf(nint address)
    {
        lock (waiting)
            foreach (var gradient in all)
                if (gradient.OffsetOf(address) is { } offset)
                    return offset;
        return null;
    }

    /// <summary>The sum of all leaves, valid until <see cref="Begin"/>.</summary>
    public Gradient Root =>
        root.IsEmpty ? throw new InvalidOperationException("the gradient tree is not complete") : root;

    /// <summary>The gaps between some tensors of a layout.</summary>
    private static IEnumerable<(long Start, long Count)> Others(long length, IEnumerable<Entry> entries)
    {
        long at = 0;
        foreach (var e in entries)
        {
            if (e.Offset > at)
                yield return (at, e.Offset - at);
            at = e.Offset + e.Count;
        }
        if (at < length)
            yield return (at, length - at);
    }

    private void AddInto(Gradient a, Gradient b)
    {
        int chunk = Math.Max(1 << 20, device.UpdateChunk);
        for (long i = 0; i < layout.Length; i += chunk)
        {
            int n = (int)Math.Min(chunk, layout.Length - i);
            Elementwise.Add(device, a.Slice(i, n), a.Slice(i, n), b.Slice(i, n));
        }
    }
}
