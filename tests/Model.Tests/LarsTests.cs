using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Numerics;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;

namespace LutNative.Model.Tests;

/// <summary>LARS against MAE's util/lars.py restated in binary64, on every CPU width with the same bits.</summary>
public unsafe class LarsTests
{
    [Theory]
    [InlineData(0.0)]
    [InlineData(0.01)]
    public void EqualsItsDefinition(double weightDecay)
    {
        const double Momentum = 0.9;
        const double Trust = 0.001;
        const double Rate = 0.7;
        string? first = null;
        foreach (Device device in new Device[] { new OracleDevice() }.Concat(Cpu.All()))
        {
            using var arena = new Arena();
            var layout = new StateLayout();
            var linear = new Linear(layout, "head.1", 7, 37);
            State state = new(layout, arena);
            var gradient = arena.Gradient(layout);
            var lars = new Lars(device, state, arena, Momentum, Trust, weightDecay);
            var random = new Philox(1, Purpose.Test, 0, 0, 0);
            foreach (var e in layout.Entries)
                for (int i = 0; i < e.Count; i++)
                    state[e].Span[i] = 2 * random.NextFloat() - 1;
            var p = layout.Entries.ToDictionary(
                e => e.Name,
                e => state[e].Span.ToArray().Select(x => (double)x).ToArray()
            );
            var m = layout.Entries.ToDictionary(e => e.Name, e => new double[e.Count]);
            for (int step = 0; step < 3; step++)
            {
                foreach (var e in layout.Entries)
                {
                    var g = new double[e.Count];
                    for (int i = 0; i < g.Length; i++)
                        g[i] = gradient[e].Span[i] = random.NextFloat() - 0.5f;
                    double q = 1;
                    if (e.Shape.Length > 1)
                    {
                        for (int i = 0; i < g.Length; i++)
                            g[i] += weightDecay * p[e.Name][i];
                        q = Trust * Math.Sqrt(p[e.Name].Sum(x => x * x)) / Math.Sqrt(g.Sum(x => x * x));
                    }
                    for (int i = 0; i < g.Length; i++)
                        p[e.Name][i] -= Rate * (m[e.Name][i] = Momentum * m[e.Name][i] + q * g[i]);
                }
                lars.Step(gradient, Rate);
            }
            foreach (var e in layout.Entries)
                for (int i = 0; i < e.Count; i++)
                    Assert.Equal(p[e.Name][i], state[e].Span[i], 2e-6);
            string digest = Digest.Combine(layout.Entries.Select(e => (e.Name, state.DigestOf(e)))).ToString();
            Assert.Equal(first ??= digest, digest);
        }
    }
}
