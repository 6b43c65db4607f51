using LutNative.Model.Layers;
using LutNative.Model.Ops;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;

namespace LutNative.Model.Networks;

/// <summary>
/// The fine-tuning network: trunk, then either mean of patch tokens and fc_norm (global_pool) or norm of the class
/// token, then a linear head. Position embeddings are trained. Source: MAE models_vit.py; timm 0.4.12 VisionTransformer
/// (order of the state dict included).
/// </summary>
public sealed class Classifier
{
    private readonly Norm norm;
    private readonly Linear head;

    public Classifier(VitShape shape, int classes, bool globalPool, float dropPath)
    {
        Shape = shape;
        Classes = classes;
        GlobalPool = globalPool;
        Encoder = new Encoder(Layout, shape, trainPositions: true, dropPath);
        if (!globalPool)
            norm = new Norm(Layout, "norm", shape.Width, shape.NormEps);
        head = new Linear(Layout, "head", classes, shape.Width);
        norm ??= new Norm(Layout, "fc_norm", shape.Width, shape.NormEps);
    }

    public StateLayout Layout { get; } = new();
    public VitShape Shape { get; }
    public int Classes { get; }
    public bool GlobalPool { get; }
    public Encoder Encoder { get; }

    /// <summary>lr_scale by depth: patch embedding, tokens and positions decay^(L+1), block i decay^(L-i), norm and
    /// head 1; no weight decay for one-dimensional tensors, cls_token and pos_embed. Source: BEiT and MAE
    /// util/lr_decay.py.</summary>
    public Func<Entry, ParameterGroup> Groups(double layerDecay, double weightDecay)
    {
        int layers = Encoder.Depth + 1;
        var scales = new double[layers + 1];
        for (int i = layers; i >= 0; i--)
            scales[i] = i == layers ? 1.0 : scales[i + 1] * layerDecay;
        return e =>
        {
            bool plain = e.Shape.Length == 1 || e.Name is "cls_token" or "pos_embed";
            return new ParameterGroup(scales[LayerOf(e.Name, layers)], plain ? 0.0 : weightDecay);
        };
    }

    /// <summary>0 for the embedding, 1 + i for block i, last for what follows the blocks.</summary>
    private static int LayerOf(string name, int last)
    {
        if (name is "cls_token" or "pos_embed" || name.StartsWith("patch_embed", StringComparison.Ordinal))
            return 0;
        if (name.StartsWith("blocks.", StringComparison.Ordinal))
            return 1 + int.Parse(name.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture);
        return last;
    }

    /// <summary>Buffers around the trunk for S samples.</summary>
    public sealed class Activations(Arena arena, Classifier net, int sequences, bool training)
    {
        public readonly EncoderActivations Trunk = new(arena, net.Shape, sequences, net.Shape.Grid.Patches, training);
        public readonly Mat Pooled = arena.Matrix(sequences, net.Shape.Width); // [S, D]
        public readonly Mat Normed = arena.Matrix(sequences, net.Shape.Width); // [S, D]
        public readonly Mat Stats = arena.Matrix(sequences, 2);
        public readonly Mat Logits = arena.Matrix(sequences, net.Classes); // [S, classes]
        public readonly Mat DPooled = training ? arena.Matrix(sequences, net.Shape.Width) : default;
        public readonly Mat DTokens = training
            ? arena.Matrix(sequences * (net.Shape.Grid.Patches + 1), net.Shape.Width)
            : default;
    }

    /// <summary>a.Logits from a.Trunk.Images; kept: drop-path flags or null.</summary>
    public void Forward(in Pass p, Activations a, bool[][][]? kept = null)
    {
        Encoder.Forward(p, a.Trunk, kept);
        Mat x = a.Trunk.Output;
        if (GlobalPool)
            Pooling.Forward(p.Device, a.Pooled, x);
        else
            for (int s = 0; s < a.Pooled.Rows; s++)
                p.Device.Copy(a.Pooled.Slice(s, 1), x.Slice(s * (a.Trunk.Kept + 1), 1));
        norm.Forward(p, a.Normed, a.Stats, a.Pooled);
        head.Forward(p, a.Logits, a.Normed);
    }

    /// <summary>From the gradient of the logits, dLogits [S, classes]; parameter gradients continue.</summary>
    public void Backward(in Pass p, BlockGradients g, Mat dLogits, Activations a, bool[][][]? kept = null)
    {
        head.BackwardParameters(p, dLogits, a.Normed);
        head.BackwardInput(p, a.DPooled, dLogits);
        norm.Backward(p, a.DPooled, a.DPooled, a.Pooled, a.Stats, default);
        if (GlobalPool)
            Pooling.Backward(p.Device, a.DTokens, a.DPooled);
        else
        {
            p.Device.Clear(a.DTokens);
            for (int s = 0; s < a.Pooled.Rows; s++)
                p.Device.Copy(a.DTokens.Slice(s * (a.Trunk.Kept + 1), 1), a.DPooled.Slice(s, 1));
        }
        Encoder.Backward(p, g, a.DTokens, a.Trunk, kept);
    }
}
