using LutNative.Model.Ops;

namespace LutNative.Model.Tests.Ops;

/// <summary>Maps, sums, GELU and optimiser updates.</summary>
internal static class ElementwiseCases
{
    internal static void AddTo(Dictionary<string, Action<OpBench>> cases)
    {
        foreach (var (r, d) in OpBench.Sizes)
        {
            cases[$"GeluForward {r}x{d}"] = b =>
                Gelu.Forward(b.Device, b.Out("y", r, d), b.Out("erf", r, d), b.In(r, d, 6f));
            cases[$"GeluBackward {r}x{d}"] = b =>
                Gelu.Backward(b.Device, b.Out("dx", r, d), b.In(r, d), b.In(r, d, 4f), b.In(r, d, 1f));
            cases[$"Add {r}x{d}"] = b => Elementwise.Add(b.Device, b.Out("y", r, d), b.In(r, d), b.In(r, d));
            cases[$"Scale {r}x{d}"] = b => Elementwise.Scale(b.Device, b.Out("y", r, d), b.In(r, d), 0.37f);
            cases[$"Relu {r}x{d}"] = b => Elementwise.Relu(b.Device, b.Out("y", r, d), b.In(r, d));
            cases[$"Relu backward {r}x{d}"] = b =>
                Elementwise.ReluBackward(b.Device, b.Out("dx", r, d), b.In(r, d), b.In(r, d));
            cases[$"ColumnSum {r}x{d}"] = b => Elementwise.ColumnSum(b.Device, b.Out("acc", 1, d), b.In(r, d));
            cases[$"ColumnSum strided {r}x{d}"] = b =>
                Elementwise.ColumnSum(b.Device, b.Out("acc", 1, d), b.In(r * 3, d), 1, 3);
            cases[$"SquaredNorm {r}x{d}"] = b => Elementwise.SquaredNorm(b.Device, b.Out("norm", 1, 1), b.In(r, d));
            cases[$"AdamW {r}x{d}"] = b =>
                AdamW.Update(
                    b.Device,
                    b.Out("p", r, d),
                    b.Out("m", r, d),
                    b.Watch("v", b.Square(r, d)),
                    b.In(r, d),
                    new AdamWScalars(0.999f, 0.1f, 0.95f, 0.05f, 0.3f, 1e-3f, 1e-8f)
                );
            cases[$"Average {r}x{d}"] = b => AdamW.Average(b.Device, b.Out("e", r, d), b.In(r, d), 0.004f);
        }
        // several leaves at once
        foreach (int l in new[] { 2, 4 })
            cases[$"ColumnSum {l} leaves"] = b => Elementwise.ColumnSum(b.Device, b.Out("acc", l, 35), b.In(l * 7, 35));
        foreach (int l in new[] { 1, 2, 5, 8 })
            cases[$"LeavesTree {l}"] = b => Leaves.Tree(b.Device, b.Out("sum", 3, 37), b.In(l * 3, 37));
        foreach (var (s, patches, d) in new[] { (1, 4, 5), (3, 16, 24), (2, 9, 33) })
        {
            bool[] flags = [.. Enumerable.Range(0, s).Select(i => i % 2 == 0)];
            cases[$"DropPath {s} {patches} {d}"] = b =>
                Elementwise.DropPath(
                    b.Device,
                    b.Out("y", s * patches, d),
                    b.In(s * patches, d),
                    b.In(s * patches, d),
                    flags,
                    0.7f
                );
            cases[$"DropPath backward {s} {patches} {d}"] = b =>
                Elementwise.DropPathBackward(
                    b.Device,
                    b.Out("dBranch", s * patches, d),
                    b.In(s * patches, d),
                    flags,
                    0.7f
                );
        }
    }
}
