using System.Runtime.Intrinsics;
using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;

namespace LutNative.Model.Tests.Numerics;

/// <summary>
/// Philox, sums, the tree, digests, host functions: each against its definition or a published answer.
/// </summary>
public unsafe class ContractTests
{
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(
        0xffffffffu,
        0xffffffffu,
        0xffffffffu,
        0xffffffffu,
        0xffffffffu,
        0xffffffffu,
        0x408f276du,
        0x41c83b0eu,
        0xa20bc7c6u,
        0x6d5451fdu
    )]
    [InlineData(
        0x243f6a88u,
        0x85a308d3u,
        0x13198a2eu,
        0x03707344u,
        0xa4093822u,
        0x299f31d0u,
        0xd16cfe09u,
        0x94fdccebu,
        0x5001e420u,
        0x24126ea1u
    )]
    public void PhiloxGivesRandom123sKnownAnswers(
        uint c0,
        uint c1,
        uint c2,
        uint c3,
        uint k0,
        uint k1,
        uint a,
        uint b,
        uint c,
        uint d
    ) => Assert.Equal((a, b, c, d), Philox.Block(c0, c1, c2, c3, k0, k1));

    [Fact]
    public void ThisMachinePassesTheSelfTest() => Assert.Null(SelfTest.Failure());

    [Fact]
    public void DrawsBelowABoundAreUniformAndInRange()
    {
        var random = new Philox(7, Purpose.Test, 1, 2, 3);
        var counts = new int[9];
        for (int i = 0; i < 90_000; i++)
            counts[random.NextBelow(9)]++;
        Assert.All(counts, c => Assert.InRange(c, 9_500, 10_500));
    }

    [Fact]
    public void NormalDrawsHaveUnitVariance()
    {
        var random = new Philox(7, Purpose.Test, 4, 0, 0);
        double sum = 0;
        double square = 0;
        for (int i = 0; i < 100_000; i++)
        {
            double x = random.NextNormal();
            sum += x;
            square += x * x;
        }
        Assert.InRange(sum / 100_000, -0.02, 0.02);
        Assert.InRange(square / 100_000, 0.98, 1.02);
    }

    public static TheoryData<int> Lengths => [0, 1, 2, 3, 15, 16, 17, 63, 64, 65, 127, 128, 129, 385, 768, 1000];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void RowSumsAtEveryWidthEqualTheOracle(int n)
    {
        float[] x = Inputs.Floats(n, 1);
        float[] y = Inputs.Floats(n, 2);
        uint sum = Bits(LaneSumOracle.Sum(x));
        uint dot = Bits(LaneSumOracle.Dot(x, y));
        fixed (
            float* p = x,
                q = y
        )
        {
            Assert.Equal(
                (sum, dot),
                (
                    Bits(LaneSum.Sum<Vector512<float>, Lanes512>(p, n)),
                    Bits(LaneSum.Dot<Vector512<float>, Lanes512>(p, q, n))
                )
            );
            Assert.Equal(
                (sum, dot),
                (
                    Bits(LaneSum.Sum<Vector256<float>, Lanes256>(p, n)),
                    Bits(LaneSum.Dot<Vector256<float>, Lanes256>(p, q, n))
                )
            );
            Assert.Equal(
                (sum, dot),
                (
                    Bits(LaneSum.Sum<Vector128<float>, Lanes128>(p, n)),
                    Bits(LaneSum.Dot<Vector128<float>, Lanes128>(p, q, n))
                )
            );
        }
    }

    /// <summary>
    /// The order of additions, read off from outside (FPRev): with +2^127 at i and -2^127 at j all other ones vanish
    /// that are added before the two meet. Lanes: i and j meet when the 64 lanes fold.
    /// </summary>
    [Fact]
    public void RowSumsFoldTheLanesInTheContractsTree()
    {
        const int N = 64;
        for (int i = 0; i < N; i++)
        for (int j = i + 1; j < N; j++)
        {
            var x = new float[N];
            Array.Fill(x, 1f);
            (x[i], x[j]) = (MathF.ScaleB(1, 127), -MathF.ScaleB(1, 127));
            // lanes a and b meet at the largest fold h at which they are equal modulo h
            int h = 32;
            while (i % h != j % h)
                h /= 2;
            int subtree = N / h;
            fixed (float* p = x)
                Assert.Equal(N - subtree, LaneSum.Sum<Vector512<float>, Lanes512>(p, N));
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void TheBinaryCounterIsTheRecursiveTree(int n)
    {
        float[] x = Inputs.Floats(n, 3);
        Assert.Equal(Bits(TreeOracle.Sum(x)), Bits(Tree.Sum(x)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(13)]
    public void GradientsMeetInTheSameTreeWhateverTheOrderOfArrival(int leaves)
    {
        const int Length = 37;
        float[][] x = [.. Enumerable.Range(0, leaves).Select(l => Inputs.Floats(Length, 100 + l))];
        using var arena = new Arena();
        var layout = new StateLayout();
        var e = layout.Add("x", [Length]);
        var tree = new GradientTree(Cpu.Best(), layout, arena);
        for (uint trial = 0; trial < 6; trial++)
        {
            int[] order = [.. Enumerable.Range(0, leaves).OrderBy(l => Philox.Block((uint)l, trial, 0, 0, 5, 5).Item1)];
            tree.Begin(leaves);
            foreach (int l in order)
            {
                var leaf = tree.Rent();
                x[l].CopyTo(leaf[e].Span);
                tree.Add(l, leaf);
            }
            for (int i = 0; i < Length; i++)
                Assert.Equal(Bits(TreeOracle.Sum([.. x.Select(v => v[i])])), Bits(tree.Root[e].Span[i] + 0f));
        }
    }

    [Fact]
    public void ADigestChangesWithABitASwapAndANameButNotWithTheOrderOfWork()
    {
        float[] x = Inputs.Floats(1000, 9);
        var d = Digest.Of(x);
        fixed (float* p = x)
            Assert.Equal(d, Digest.Of(p + 300, 700, 300) + Digest.Of(p, 300));
        for (int bit = 0; bit < 32; bit++)
        {
            var y = (float[])x.Clone();
            y[17] = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(y[17]) ^ 1u << bit);
            if (!float.IsNaN(y[17]))
                Assert.NotEqual(d, Digest.Of(y));
        }
        var z = (float[])x.Clone();
        (z[1], z[2]) = (z[2], z[1]);
        Assert.NotEqual(d, Digest.Of(z));
        Assert.NotEqual(Digest.Of([0f]), Digest.Of([-0f]));
        Assert.Equal(Digest.Of([float.NaN]), Digest.Of([BitConverter.UInt32BitsToSingle(0x7fc00123)]));
        Assert.NotEqual(Digest.Combine([("a", d), ("b", d)]), Digest.Combine([("a", d), ("c", d)]));
        Assert.Equal(Digest.Combine([("a", d), ("b", Digest.Of(z))]), Digest.Combine([("b", Digest.Of(z)), ("a", d)]));
    }

    [Fact]
    public void HostFunctionsAreAccurateToAFewUlp()
    {
        for (int i = 0; i <= 4000; i++)
        {
            double x = i * 0.00785398;
            double near = 1e-15;
            Assert.Equal(Math.Sin(x), HostMath.Sin(x), near);
            Assert.Equal(Math.Cos(x), HostMath.Cos(x), near);
            Assert.Equal(1.0, HostMath.Exp(x) / Math.Exp(x), near);
            Assert.Equal(Math.Log(x + 1e-3), HostMath.Log(x + 1e-3), 2e-15);
        }
    }

    private static uint Bits(float x) => BitConverter.SingleToUInt32Bits(x);
}

/// <summary>Inputs from Philox: seeds are data.</summary>
internal static class Inputs
{
    internal static float[] Floats(int n, int seed, float scale = 2f)
    {
        var random = new Philox((ulong)seed, Purpose.Test, 0, 0, 0);
        var x = new float[n];
        for (int i = 0; i < n; i++)
            x[i] = (2f * random.NextFloat() - 1f) * scale;
        return x;
    }
}
