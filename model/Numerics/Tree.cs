using System.Runtime.CompilerServices;

namespace LutNative.Model.Numerics;

/// <summary>
/// The canonical tree T (docs/NUMERICS.md): T(1) = x; T(n) = T(left p) + T(rest), p the largest power of two below n.
/// A binary counter of partial sums computes it while items arrive in order.
/// </summary>
public struct Tree
{
    private Levels partial; // partial[l] holds the sum of 2^l items when bit l of count is set
    private int count;

    [InlineArray(32)]
    private struct Levels
    {
        private float first;
    }

    public void Add(float x)
    {
        int level = 0;
        for (; (count >> level & 1) != 0; level++)
            x = partial[level] + x;
        partial[level] = x;
        count++;
    }

    /// <summary>T over everything added; +0 when nothing was.</summary>
    public readonly float Root()
    {
        float sum = 0f;
        bool any = false;
        for (int level = 0; level < 31; level++)
            if ((count >> level & 1) != 0)
            {
                sum = any ? partial[level] + sum : partial[level];
                any = true;
            }
        return sum + 0f;
    }

    /// <summary>T over a span.</summary>
    public static float Sum(ReadOnlySpan<float> x)
    {
        var tree = default(Tree);
        foreach (float v in x)
            tree.Add(v);
        return tree.Root();
    }
}

/// <summary>The definition of T, by recursion.</summary>
public static class TreeOracle
{
    public static float Sum(ReadOnlySpan<float> x) => x.Length == 0 ? 0f : Node(x) + 0f;

    private static float Node(ReadOnlySpan<float> x)
    {
        if (x.Length == 1)
            return x[0];
        int p = 1;
        while (2 * p < x.Length)
            p *= 2;
        return Node(x[..p]) + Node(x[p..]);
    }
}
