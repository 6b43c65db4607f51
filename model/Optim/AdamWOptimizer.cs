using LutNative.Model.Devices;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Optim;

/// <summary>lr_scale and weight_decay of one parameter.</summary>
public readonly record struct ParameterGroup(double LrScale, double WeightDecay);

/// <summary>
/// AdamW over a flat state. beta powers are running products in double (never pow), so they are part of a checkpoint.
/// </summary>
public sealed class AdamWOptimizer
{
    private readonly Device device;
    private readonly State parameters;
    private readonly (Entry Entry, long Start, int Count)[] chunks;
    private readonly Entry[] trained;
    private readonly Mat squares; // [T, 1], a tensor's each
    private readonly float[] squaresRead;
    private readonly ParameterGroup[] groups;
    private readonly double beta1;
    private readonly double beta2;
    private readonly double eps;

    public AdamWOptimizer(
        Device device,
        State parameters,
        Arena arena,
        double beta1,
        double beta2,
        double eps,
        Func<Entry, ParameterGroup> group
    )
    {
        this.device = device;
        this.parameters = parameters;
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.eps = eps;
        M = new State(parameters.Layout, arena);
        V = new State(parameters.Layout, arena);
        trained = [.. parameters.Layout.Entries.Where(e => e.Kind == EntryKind.Parameter)];
        squares = arena.Matrix(trained.Length, 1);
        squaresRead = new float[trained.Length];
        groups = new ParameterGroup[parameters.Layout.Entries.Count];
        foreach (var e in trained)
            groups[e.Index] = group(e);
        chunks =
        [
            .. from e in trained
            from s in Pieces(e.Count, device.UpdateChunk)
            select (e, s, (int)Math.Min(device.UpdateChunk, e.Count - s)),
        ];
    }

    /// <summary>First and second moments.</summary>
    public State M { get; }
    public State V { get; }

    /// <summary>beta1^t and beta2^t as running products.</summary>
    public double Beta1Power { get; set; } = 1.0;
    public double Beta2Power { get; set; } = 1.0;

    /// <summary>
    /// One update of every parameter and, chunk by chunk while its new values are in cache, of the teacher's average of
    /// it (<see cref="TeacherUpdate"/> does the rest of the teacher).
    /// </summary>
    /// <param name="teacher">Of the same layout, or null.</param>
    /// <param name="decay">The average's decay, see <see cref="Schedules.EmaDecay"/>.</param>
    public void Step(Pool pool, Gradient gradient, double lr, State? teacher = null, double decay = 1.0)
    {
        Beta1Power *= beta1;
        Beta2Power *= beta2;
        pool.Run(
            chunks.Length,
            (Adam: this, Gradient: gradient, Lr: lr, Teacher: teacher, Decay: decay),
            static (i, _, j) => j.Adam.Update(i, j.Gradient, j.Lr, j.Teacher, j.Decay)
        );
    }

    private void Update(int chunk, Gradient gradient, double lr, State? teacher, double decay)
    {
        var (e, start, count) = chunks[chunk];
        double rate = lr * groups[e.Index].LrScale;
        var scalars = new AdamWScalars(
            (float)(1.0 - rate * groups[e.Index].WeightDecay),
            (float)(1.0 - beta1),
            (float)beta2,
            (float)(1.0 - beta2),
            (float)Math.Sqrt(1.0 - Beta2Power),
            (float)(rate / (1.0 - Beta1Power)),
            (float)eps
        );
        long at = e.Offset + start;
        Mat p = parameters.Values.Slice(at, count);
        Mat g = gradient.Slice(at, count);
        AdamW.Update(device, p, M.Values.Slice(at, count), V.Values.Slice(at, count), g, scalars);
        if (teacher is not null)
            AdamW.Average(device, teacher.Values.Slice(at, count), p, (float)(1.0 - decay));
    }

    /// <summary>
    /// The global gradient norm (rows by lanes, T over rows, T over tensors in registration order, square root); when
    /// clip is given and the norm exceeds it, gradients are scaled by clip / (norm + 1e-6). Source:
    /// torch.nn.utils.clip_grad_norm_.
    /// </summary>
    public float ClipNorm(Pool pool, Gradient gradient, double? clip)
    {
        pool.Run(
            trained.Length,
            (Adam: this, Gradient: gradient),
            static (i, _, j) =>
                Elementwise.SquaredNorm(j.Adam.device, j.Adam.squares.Slice(i, 1), j.Gradient[j.Adam.trained[i]])
        );
        device.Read(squaresRead, squares);
        float norm = MathF.Sqrt(Numerics.Tree.Sum(squaresRead));
        if (clip is { } limit && norm > (float)limit)
        {
            float factor = (float)limit / (norm + 1e-6f);
            pool.Run(
                chunks.Length,
                (Adam: this, Gradient: gradient, Factor: factor),
                static (i, _, j) =>
                {
                    var (e, start, count) = j.Adam.chunks[i];
                    Mat g = j.Gradient.Slice(e.Offset + start, count);
                    Elementwise.Scale(j.Adam.device, g, g, j.Factor);
                }
            );
        }
        return norm;
    }

    private static IEnumerable<long> Pieces(long count, int each)
    {
        for (long s = 0; s < count; s += each)
            yield return s;
    }
}
