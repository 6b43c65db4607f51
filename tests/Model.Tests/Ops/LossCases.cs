using LutNative.Model.Ops;

namespace LutNative.Model.Tests.Ops;

/// <summary>Losses and their targets.</summary>
internal static class LossCases
{
    internal static void AddTo(Dictionary<string, Action<OpBench>> cases)
    {
        foreach (var (r, d) in OpBench.Sizes)
        {
            cases[$"ContextLoss {r}x{d}"] = b =>
                ContextLoss.Run(b.Device, b.Out("loss", r, 1), b.Out("dq", r, d), b.In(r, d), b.In(r, d), -0.01f);
            cases[$"CrossEntropy {r}x{d}"] = b =>
                CrossEntropy.Run(
                    b.Device,
                    b.Out("loss", r, 1),
                    b.Out("dx", r, d),
                    b.In(r, d, 9f),
                    b.In(r, d, 1f),
                    0.25f
                );
            cases[$"PatchNormalise {r}x{d}"] = b =>
            {
                if (d > 1)
                    PatchTarget.Normalise(b.Device, b.Out("target", r, d));
            };
        }
        foreach (var (s, patches, kept, d) in new[] { (1, 4, 1, 5), (3, 16, 4, 24), (2, 9, 8, 33) })
        {
            int[] restore = [.. Enumerable.Range(0, s).SelectMany(i => OpBench.Shuffled(patches, i))];
            cases[$"PatchLoss {s} {kept}/{patches} {d}"] = b =>
                PatchTarget.Loss(
                    b.Device,
                    b.Out("loss", s, patches),
                    b.Out("dPred", s * (patches + 1), d),
                    b.In(s * (patches + 1), d),
                    b.In(s * patches, d),
                    restore,
                    kept,
                    0.01f
                );
        }
    }
}
