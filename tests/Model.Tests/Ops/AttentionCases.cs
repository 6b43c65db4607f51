using LutNative.Model.Ops;

namespace LutNative.Model.Tests.Ops;

/// <summary>Self-attention.</summary>
internal static class AttentionCases
{
    internal static void AddTo(Dictionary<string, Action<OpBench>> cases)
    {
        foreach (
            var (s, n, heads, e) in new[]
            {
                (1, 1, 1, 1),
                (2, 5, 2, 12),
                (2, 17, 3, 8),
                (1, 33, 2, 32),
                (3, 16, 1, 16),
                (1, 70, 2, 24),
            }
        )
        {
            int d = heads * e;
            cases[$"AttentionForward {s} {n} {heads}x{e}"] = b =>
                Attention.Forward(
                    b.Device,
                    b.Out("out", s * n, d),
                    b.Out("prob", s * heads * n, n),
                    b.In(s * n, 3 * d),
                    n,
                    heads,
                    0.3f
                );
            cases[$"AttentionForward nothing kept {s} {n} {heads}x{e}"] = b =>
                Attention.Forward(b.Device, b.Out("out", s * n, d), default, b.In(s * n, 3 * d), n, heads, 0.3f);
            cases[$"AttentionBackward {s} {n} {heads}x{e}"] = b =>
                Attention.Backward(
                    b.Device,
                    b.Out("dQkv", s * n, 3 * d),
                    b.In(s * n, d),
                    b.In(s * heads * n, n, 1f),
                    b.In(s * n, 3 * d),
                    n,
                    heads,
                    0.3f
                );
        }
    }
}
