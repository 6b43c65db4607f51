using LutNative.Model.Ops;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Layers;

public enum HeadNorm
{
    None,
    BatchNorm,
    LayerNorm,
}

public enum HeadActivation
{
    Relu,
    Gelu,
}

/// <summary>What one view's pass through a head keeps, layer by layer, for B samples.</summary>
public sealed class HeadActivations
{
    public readonly Mat[] Input;
    public readonly Mat[] Linear;
    public readonly Mat[] Normed;
    public readonly Mat[] Stats;
    public readonly Mat[] Erf;
    public readonly Mat[] DWeightParts;
    public readonly Mat[] DBiasParts;
    public readonly Mat[] DLinear;

    public HeadActivations(Arena arena, MlpHead head, int batch, int grain)
    {
        int n = head.Depth;
        Input = new Mat[n + 1];
        Linear = new Mat[n];
        Normed = new Mat[n];
        Stats = new Mat[n];
        Erf = new Mat[n];
        DWeightParts = new Mat[n];
        DBiasParts = new Mat[n];
        DLinear = new Mat[n];
        for (int l = 0; l < n; l++)
        {
            int width = l == n - 1 ? head.Width : head.Hidden;
            Input[l + 1] = arena.Matrix(batch, width); // [B, out]: the next layer's input, or the result
            DLinear[l] = arena.Matrix(batch, width);
            if (l == n - 1)
                continue;
            Linear[l] = arena.Matrix(batch, width);
            Normed[l] = head.NormKind == HeadNorm.None ? Linear[l] : arena.Matrix(batch, width);
            Stats[l] = head.NormKind == HeadNorm.BatchNorm ? arena.Matrix(2, width) : arena.Matrix(batch, 2);
            Erf[l] = arena.Matrix(batch, width);
            DWeightParts[l] = arena.Matrix(batch / grain, width);
            DBiasParts[l] = arena.Matrix(batch / grain, width);
        }
    }

    public Mat Output => Input[^1];
}

/// <summary>
/// The projector and predictor: Depth linear layers without bias, D -> hidden -> ... -> D; after every one but the last
/// a norm (BatchNorm, LayerNorm with eps 1e-6, or none) and ReLU or GELU. Depth 0 is the identity. Names follow
/// torch.nn.Sequential's positions.
/// Source: LUT models_lut.py:112-142 (_build_mlp; last_bn is ignored there).
/// </summary>
public sealed unsafe class MlpHead
{
    private const float BatchNormEps = 1e-5f;
    private const float LayerNormEps = 1e-6f;
    private const float Momentum = 0.1f; // PyTorch's BatchNorm1d defaults; LUT's LayerNorm eps
    private readonly Linear[] linear;
    private readonly Entry[] normWeight;
    private readonly Entry[] normBias;
    private readonly Entry[] runningMean;
    private readonly Entry[] runningVar;
    private readonly int[] counter;
    private readonly HeadActivation activation;

    public MlpHead(
        StateLayout layout,
        string name,
        int depth,
        int width,
        int hidden,
        HeadNorm norm,
        HeadActivation activation
    )
    {
        Depth = depth;
        Width = width;
        Hidden = hidden;
        NormKind = norm;
        this.activation = activation;
        linear = new Linear[depth];
        normWeight = new Entry[depth];
        normBias = new Entry[depth];
        runningMean = new Entry[depth];
        runningVar = new Entry[depth];
        counter = new int[depth];
        for (int l = 0, position = 0; l < depth; l++)
        {
            linear[l] = new Linear(
                layout,
                $"{name}.{position++}",
                l == depth - 1 ? width : hidden,
                l == 0 ? width : hidden,
                bias: false
            );
            if (l == depth - 1)
                break;
            if (norm != HeadNorm.None)
            {
                string at = $"{name}.{position++}";
                normWeight[l] = layout.Add(at + ".weight", [hidden]);
                normBias[l] = layout.Add(at + ".bias", [hidden]);
                if (norm == HeadNorm.BatchNorm)
                {
                    runningMean[l] = layout.Add(at + ".running_mean", [hidden], EntryKind.Buffer);
                    runningVar[l] = layout.Add(at + ".running_var", [hidden], EntryKind.Buffer);
                    counter[l] = layout.AddCounter(at + ".num_batches_tracked");
                }
            }
            position++;
        }
    }

    public int Depth { get; }
    public int Width { get; }
    public int Hidden { get; }
    public HeadNorm NormKind { get; }

    /// <summary>
    /// a.Output from x [B, D]. Training: batch norm uses the batch's statistics and updates the running ones once.
    /// Otherwise (the teacher) it uses the running ones.
    /// </summary>
    public void Forward(Pool pool, Pass p, HeadActivations a, Mat x, int grain, bool training)
    {
        var state = p.Weights.State;
        int piece = p.Device.OnHost ? grain : x.Rows; // threads share the batch by grains; a GPU takes it whole
        a.Input[0] = x;
        for (int l = 0; l < Depth; l++)
        {
            Mat to = l == Depth - 1 ? a.Output : a.Linear[l];
            pool.Run(
                x.Rows / piece,
                (Linear: linear[l], Pass: p, To: to, From: a.Input[l], Grain: piece),
                static (g, _, j) =>
                    j.Linear.Forward(j.Pass, j.To.Slice(g * j.Grain, j.Grain), j.From.Slice(g * j.Grain, j.Grain))
            );
            if (l == Depth - 1)
                break;
            if (NormKind == HeadNorm.LayerNorm)
                LayerNorm.Forward(
                    p.Device,
                    a.Normed[l],
                    a.Stats[l],
                    to,
                    p.Value(normWeight[l]),
                    p.Value(normBias[l]),
                    LayerNormEps
                );
            else if (NormKind == HeadNorm.BatchNorm && !training)
                BatchNorm.Evaluate(
                    p.Device,
                    a.Normed[l],
                    to,
                    state[runningMean[l]],
                    state[runningVar[l]],
                    p.Value(normWeight[l]),
                    p.Value(normBias[l]),
                    BatchNormEps
                );
            else if (NormKind == HeadNorm.BatchNorm)
            {
                BatchNorm.Forward(
                    p.Device,
                    a.Normed[l],
                    a.Stats[l],
                    state[runningMean[l]],
                    state[runningVar[l]],
                    to,
                    p.Value(normWeight[l]),
                    p.Value(normBias[l]),
                    grain,
                    Momentum,
                    BatchNormEps
                );
                state.Counters[counter[l]]++;
            }
            if (activation == HeadActivation.Relu)
                Elementwise.Relu(p.Device, a.Input[l + 1], a.Normed[l]);
            else
                Gelu.Forward(p.Device, a.Input[l + 1], a.Erf[l], a.Normed[l]);
        }
    }

    /// <summary>
    /// dx [B, D] from dy [B, D] (either may be the other); keeps what <see cref="LeafGradients"/> needs.
    /// </summary>
    public void Backward(Pool pool, Pass p, HeadActivations a, Mat dx, Mat dy, int grain)
    {
        if (Depth == 0)
        {
            if (dx.Data != dy.Data)
                p.Device.Copy(dx, dy);
            return;
        }
        p.Device.Copy(a.DLinear[^1], dy);
        int piece = p.Device.OnHost ? grain : dy.Rows;
        for (int l = Depth - 1; l >= 0; l--)
        {
            Mat to = l == 0 ? dx : a.DLinear[l - 1];
            pool.Run(
                dy.Rows / piece,
                (Linear: linear[l], Pass: p, To: to, From: a.DLinear[l], Grain: piece),
                static (g, _, j) =>
                    j.Linear.BackwardInput(j.Pass, j.To.Slice(g * j.Grain, j.Grain), j.From.Slice(g * j.Grain, j.Grain))
            );
            if (l == 0)
                break;
            BackwardHidden(p, a, l - 1, to, grain);
        }
    }

    private void BackwardHidden(in Pass p, HeadActivations a, int l, Mat d, int grain)
    {
        if (activation == HeadActivation.Relu)
            Elementwise.ReluBackward(p.Device, d, d, a.Normed[l]);
        else
            Gelu.Backward(p.Device, d, d, a.Normed[l], a.Erf[l]);
        if (NormKind == HeadNorm.BatchNorm)
            BatchNorm.Backward(
                p.Device,
                d,
                a.DWeightParts[l],
                a.DBiasParts[l],
                d,
                a.Linear[l],
                a.Stats[l],
                p.Value(normWeight[l]),
                grain
            );
        else if (NormKind == HeadNorm.LayerNorm)
        {
            Mat dw = a.DWeightParts[l];
            Mat db = a.DBiasParts[l]; // a leaf for each grain
            p.Device.Clear(dw);
            p.Device.Clear(db);
            LayerNorm.Backward(p.Device, d, dw, db, d, a.Linear[l], a.Stats[l], p.Value(normWeight[l]), default);
        }
    }

    /// <summary>
    /// Continues the leaf gradients of the pass's grains, the g-th group of as many, with this view's samples.
    /// </summary>
    public void LeafGradients(in Pass p, HeadActivations a, int g, int grain)
    {
        int rows = grain * p.Leaves;
        for (int l = 0; l < Depth; l++)
        {
            linear[l].BackwardParameters(p, a.DLinear[l].Slice(g * rows, rows), a.Input[l].Slice(g * rows, rows));
            if (l == Depth - 1 || NormKind == HeadNorm.None)
                continue;
            Mat dw = p.Gradient(normWeight[l]);
            Mat db = p.Gradient(normBias[l]);
            Elementwise.Add(p.Device, dw, dw, a.DWeightParts[l].Slice(g * p.Leaves, p.Leaves));
            Elementwise.Add(p.Device, db, db, a.DBiasParts[l].Slice(g * p.Leaves, p.Leaves));
        }
    }
}
