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
public sealed unsafe class GradientTree(Device device, long length, Arena arena, IEnumerable<Entry>? overwritten = null)
{
    private readonly (long Start, long Count)[] cleared = [.. Others(length, overwritten ?? [])];
    private readonly Dictionary<(int Level, int Index), nint> waiting = [];
    private readonly Stack<nint> free = [];
    private readonly List<nint> all = [];
    private int leaves;
    private nint root;

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
    public static void Reserve(long length, Arena arena, int leaves, int workers)
    {
        for (int i = 0; i < Buffers(leaves, workers); i++)
            arena.Floats(length);
    }

    public void Begin(int leafCount)
    {
        if (root != 0)
            free.Push(root);
        foreach (nint left in waiting.Values)
            free.Push(left);
        waiting.Clear();
        (root, leaves) = (0, leafCount);
    }

    /// <summary>A flat gradient buffer, zeroed but for the tensors that are overwritten.</summary>
    public float* Rent()
    {
        nint p = 0;
        lock (waiting)
            if (!free.TryPop(out p))
            {
                p = (nint)arena.Floats(length);
                all.Add(p);
                return (float*)p;
            }
        foreach (var (start, count) in cleared)
            device.Clear((float*)p + start, count);
        return (float*)p;
    }

    /// <summary>Hands in a finished leaf; the buffer belongs to the tree from here on.</summary>
    public void Add(int leaf, float* buffer)
    {
        nint mine = (nint)buffer;
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
            nint other;
            lock (waiting)
                if (!waiting.Remove((level, sibling), out other))
                {
                    waiting.Add((level, index), mine);
                    return;
                }
            var (left, right) = (index & 1) == 0 ? (mine, other) : (other, mine);
            AddInto((float*)left, (float*)right);
            lock (waiting)
                free.Push(right);
            mine = left;
        }
    }

    /// <summary>Where in a gradient's layout an address of one of the buffers is; null for any other.</summary>
    public long? OffsetOf(nint address)
    {
        lock (waiting)
            foreach (nint p in all)
                if (address >= p && address < p + length * sizeof(float))
                    return (address - p) / sizeof(float);
        return null;
    }

    /// <summary>The sum of all leaves, valid until <see cref="Begin"/>.</summary>
    public float* Root =>
        root == 0 ? throw new InvalidOperationException("the gradient tree is not complete") : (float*)root;

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

    private void AddInto(float* a, float* b)
    {
        int chunk = Math.Max(1 << 20, device.UpdateChunk);
        for (long i = 0; i < length; i += chunk)
        {
            int n = (int)Math.Min(chunk, length - i);
            var view = new Mat(a + i, 1, n);
            Elementwise.Add(device, view, view, new Mat(b + i, 1, n));
        }
    }
}
