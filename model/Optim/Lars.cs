using LutNative.Model.Devices;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Optim;

/// <summary>
/// LARS over a small state in host memory: a tensor with more than one axis moves by a step as long as trust times its
/// own norm.
/// <para>Computes: d = g + weight_decay p and q = trust |p| / |d| for tensors of two axes or more (q = 1 where either
/// norm is 0; d = g and q = 1 for others); m = momentum m + q d; p = p - lr m.</para>
/// <para>Order: d = fma(weight_decay, p, g); norms by SquaredNorm and one square root; q = (trust |p|) / |d|; m =
/// fma(momentum, m, q d) with q d rounded first; p = fma(-lr, m, p).</para>
/// <para>Source: MAE util/lars.py (after You et al. 2017); docs/NUMERICS.md rule 9.</para>
/// </summary>
public sealed unsafe class Lars(
    Device device,
    State parameters,
    Arena arena,
    double momentum,
    double trust,
    double weightDecay
)
{
    private readonly Mat squares = arena.Matrix(1, 1);

    /// <summary>The momentum buffers.</summary>
    public State M { get; } = new(parameters.Layout, arena);

    public void Step(Gradient gradient, double lr)
    {
        float rate = (float)lr;
        float keep = (float)momentum;
        float decay = (float)weightDecay;
        foreach (var e in parameters.Layout.Entries.Where(e => e.Kind == EntryKind.Parameter))
        {
            Mat p = parameters[e];
            Mat m = M[e];
            Mat g = gradient[e];
            float q = 1f;
            if (e.Shape.Length > 1)
            {
                for (long i = 0; i < g.Count; i++)
                    g.Data[i] = MathF.FusedMultiplyAdd(decay, p.Data[i], g.Data[i]);
                float own = Norm(p);
                float update = Norm(g);
                if (own > 0f && update > 0f)
                    q = (float)trust * own / update;
            }
            for (long i = 0; i < g.Count; i++)
            {
                m.Data[i] = MathF.FusedMultiplyAdd(keep, m.Data[i], q * g.Data[i]);
                p.Data[i] = MathF.FusedMultiplyAdd(-rate, m.Data[i], p.Data[i]);
            }
        }
    }

    private float Norm(Mat x)
    {
        Elementwise.SquaredNorm(device, squares, x);
        return MathF.Sqrt(squares.Data[0]);
    }
}
