using LutNative.Model.Ops;

namespace LutNative.Model.Tests.Ops;

/// <summary>Layer norm and batch norm.</summary>
internal static class NormCases
{
    internal static void AddTo(Dictionary<string, Action<OpBench>> cases)
    {
        foreach (var (r, d) in OpBench.Sizes)
        {
            cases[$"LayerNormForward {r}x{d}"] = b =>
                LayerNorm.Forward(
                    b.Device,
                    b.Out("y", r, d),
                    b.Out("stats", r, 2),
                    b.In(r, d),
                    b.In(1, d),
                    b.In(1, d),
                    1e-6f
                );
            foreach (bool residual in new[] { false, true })
                cases[$"LayerNormBackward {(residual ? "residual " : "")}{r}x{d}"] = b =>
                    LayerNorm.Backward(
                        b.Device,
                        b.Out("dx", r, d),
                        b.Out("dWeight", 1, d),
                        b.Out("dBias", 1, d),
                        b.In(r, d),
                        b.In(r, d),
                        b.In(r, 2),
                        b.In(1, d),
                        residual ? b.In(r, d) : default
                    );
        }
        foreach (int l in new[] { 2, 4 })
            cases[$"LayerNormBackward {l} leaves"] = b =>
                LayerNorm.Backward(
                    b.Device,
                    b.Out("dx", l * 6, 65),
                    b.Out("dWeight", l, 65),
                    b.Out("dBias", l, 65),
                    b.In(l * 6, 65),
                    b.In(l * 6, 65),
                    b.In(l * 6, 2),
                    b.In(1, 65),
                    b.In(l * 6, 65)
                );
        foreach (var (batch, grain, c) in new[] { (2, 1, 1), (6, 2, 17), (12, 4, 33), (40, 8, 64) })
        {
            cases[$"BatchNormForward {batch}/{grain} {c}"] = b =>
                BatchNorm.Forward(
                    b.Device,
                    b.Out("y", batch, c),
                    b.Out("stats", 2, c),
                    b.Out("mean", 1, c),
                    b.Out("var", 1, c),
                    b.In(batch, c),
                    b.In(1, c),
                    b.In(1, c),
                    grain,
                    0.1f,
                    1e-5f
                );
            cases[$"BatchNormEvaluate {batch} {c}"] = b =>
                BatchNorm.Evaluate(
                    b.Device,
                    b.Out("y", batch, c),
                    b.In(batch, c),
                    b.In(1, c),
                    b.Square(1, c),
                    b.In(1, c),
                    b.In(1, c),
                    1e-5f
                );
            cases[$"BatchNormBackward {batch}/{grain} {c}"] = b =>
                BatchNorm.Backward(
                    b.Device,
                    b.Out("dx", batch, c),
                    b.Out("dWeight", batch / grain, c),
                    b.Out("dBias", batch / grain, c),
                    b.In(batch, c),
                    b.In(batch, c),
                    b.In(2, c),
                    b.In(1, c),
                    grain
                );
        }
    }
}
