using LutNative.Model.Ops;

namespace LutNative.Model.Tests.Ops;

/// <summary>Matrix products with every epilogue.</summary>
internal static class GemmCases
{
    internal static void AddTo(Dictionary<string, Action<OpBench>> cases)
    {
        // sizes: one, a vector less and more, primes, a panel less and more, longer than a k block, a model's
        foreach (
            var (m, n, k) in new[]
            {
                (1, 1, 1),
                (5, 7, 3),
                (13, 31, 17),
                (12, 32, 64),
                (29, 33, 65),
                (97, 48, 130),
                (24, 96, 1030),
                (160, 128, 128),
            }
        )
        {
            cases[$"GemmNt {m}x{n}x{k}"] = b =>
                Gemm.Nt(b.Device, b.Out("y", m, n), b.In(m, k), b.Weight(n, k), Epilogue.None);
            cases[$"GemmNt bias residual {m}x{n}x{k}"] = b =>
                Gemm.Nt(
                    b.Device,
                    b.Out("y", m, n),
                    b.In(m, k),
                    b.Weight(n, k),
                    Epilogue.AddBiasResidual(b.In(1, n), b.In(m, n))
                );
            cases[$"GemmNt bias gelu {m}x{n}x{k}"] = b =>
                Gemm.Nt(
                    b.Device,
                    b.Out("y", m, n),
                    b.In(m, k),
                    b.Weight(n, k),
                    Epilogue.BiasGelu(b.In(1, n), b.Out("pre", m, n), b.Out("erf", m, n))
                );
            cases[$"GemmNt bias gelu, nothing kept {m}x{n}x{k}"] = b =>
                Gemm.Nt(
                    b.Device,
                    b.Out("y", m, n),
                    b.In(m, k),
                    b.Weight(n, k),
                    Epilogue.BiasGelu(b.In(1, n), default, default)
                );
            cases[$"GemmNn gelu backward {m}x{n}x{k}"] = b =>
                Gemm.Nn(
                    b.Device,
                    b.Out("dx", m, k),
                    b.In(m, n),
                    b.Weight(n, k),
                    Epilogue.GeluBackward(b.In(m, k), b.In(m, k, 1f))
                );
            cases[$"GemmTn {m}x{n}x{k}"] = b =>
                Gemm.Tn(b.Device, b.Out("dw", n, k), b.In(m, n), b.In(m, k), accumulate: false);
            cases[$"GemmTn continued {m}x{n}x{k}"] = b =>
                Gemm.Tn(b.Device, b.Out("dw", n, k), b.In(m, n), b.In(m, k), accumulate: true);
        }
        // several row blocks and k blocks, dW with packed operands, ragged in every direction, rows whole pages apart
        foreach (
            var (m, n, k) in new[] { (530, 389, 401), (7, 400, 2050), (1030, 33, 390), (277, 70, 1024), (30, 33, 3072) }
        )
        {
            cases[$"GemmNt large {m}x{n}x{k}"] = b =>
                Gemm.Nt(
                    b.Device,
                    b.Out("y", m, n),
                    b.In(m, k),
                    b.Weight(n, k),
                    Epilogue.AddBiasResidual(b.In(1, n), b.In(m, n))
                );
            cases[$"GemmNt large, bare {m}x{n}x{k}"] = b =>
                Gemm.Nt(b.Device, b.Out("y", m, n), b.In(m, k), b.Weight(n, k), Epilogue.None);
            cases[$"GemmNn large {m}x{n}x{k}"] = b =>
                Gemm.Nn(b.Device, b.Out("dx", m, k), b.In(m, n), b.Weight(n, k), Epilogue.None);
            cases[$"GemmTn large {m}x{n}x{k}"] = b =>
                Gemm.Tn(b.Device, b.Out("dw", n, k), b.In(m, n), b.In(m, k), accumulate: true);
        }
        // GELU's arguments within the polynomial's range, and beyond it here and there
        foreach (float scale in new[] { 0.3f, 0.9f })
            cases[$"GemmNt bias gelu, arguments of about {scale * scale * 4:f1}"] = b =>
                Gemm.Nt(
                    b.Device,
                    b.Out("y", 40, 75),
                    b.In(40, 48, scale),
                    b.Weight(75, 48),
                    Epilogue.BiasGelu(b.In(1, 75, scale), b.Out("pre", 40, 75), b.Out("erf", 40, 75))
                );
        // several leaves at once
        foreach (int l in new[] { 2, 4 })
        foreach (bool on in new[] { false, true })
            cases[$"GemmTn {l} leaves{(on ? " continued" : "")}"] = b =>
                Gemm.Tn(b.Device, b.Out("dw", l * 70, 33), b.In(l * 13, 70), b.In(l * 13, 33), on);
    }
}
