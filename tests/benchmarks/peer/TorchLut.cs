using LutNative.Model.Threads;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LutNative.Peer;

/// <summary>Sizes of the same networks as `lut bench` measures.</summary>
internal sealed record Sizes(
    int Image,
    int Patch,
    int Width,
    int Depth,
    int Heads,
    int DecoderWidth,
    int DecoderDepth,
    int DecoderHeads,
    int HeadDim
)
{
    internal int Patches => Image / Patch * (Image / Patch);
    internal int PatchFloats => 3 * Patch * Patch;

    internal static Sizes Of(string name) =>
        name switch
        {
            "vitb16" => new(224, 16, 768, 12, 12, 512, 8, 16, 4096),
            "tiny" => new(32, 4, 192, 12, 3, 96, 2, 3, 4096),
            "tiny-wide" => new(32, 4, 192, 12, 3, 192, 4, 3, 4096),
            "fashion-lut@1" => new(28, 7, 128, 4, 4, 64, 2, 2, 512),
            _ => throw new ArgumentException($"no shape named {name}"),
        };
}

/// <summary>A pre-norm block with PyTorch's fused attention.</summary>
internal sealed class TorchBlock : nn.Module<Tensor, Tensor>
{
    private readonly LayerNorm norm1;
    private readonly LayerNorm norm2;
    private readonly Linear qkv;
    private readonly Linear proj;
    private readonly Linear fc1;
    private readonly Linear fc2;
    private readonly int heads;

    internal TorchBlock(int width, int heads)
        : base("block")
    {
        this.heads = heads;
        norm1 = nn.LayerNorm(width, 1e-6);
        norm2 = nn.LayerNorm(width, 1e-6);
        qkv = nn.Linear(width, 3 * width);
        proj = nn.Linear(width, width);
        fc1 = nn.Linear(width, 4 * width);
        fc2 = nn.Linear(4 * width, width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        long b = x.shape[0];
        long n = x.shape[1];
        long d = x.shape[2];
        var parts = qkv.forward(norm1.forward(x)).reshape(b, n, 3, heads, d / heads).permute(2, 0, 3, 1, 4).unbind(0);
        var att = nn
            .functional.scaled_dot_product_attention(parts[0], parts[1], parts[2])
            .transpose(1, 2)
            .reshape(b, n, d);
        x = x + proj.forward(att);
        return x + fc2.forward(nn.functional.gelu(fc1.forward(norm2.forward(x))));
    }
}

/// <summary>The network that is pre-trained: masked autoencoder, projector and predictor.</summary>
internal sealed class TorchNet : nn.Module
{
    private readonly Sizes s;
    private readonly Linear embed;
    private readonly Linear decoderEmbed;
    private readonly Linear pred;
    private readonly Parameter cls;
    private readonly Parameter mask;
    private readonly Tensor pos;
    private readonly Tensor decoderPos;
    private readonly ModuleList<TorchBlock> blocks;
    private readonly ModuleList<TorchBlock> decoderBlocks;
    private readonly LayerNorm norm;
    private readonly LayerNorm decoderNorm;
    private readonly Sequential projector;
    private readonly Sequential predictor;

    internal TorchNet(Sizes s)
        : base("lut")
    {
        this.s = s;
        embed = nn.Linear(s.PatchFloats, s.Width); // a convolution whose stride is its size is a product
        cls = nn.Parameter(0.02 * randn(1, 1, s.Width));
        mask = nn.Parameter(0.02 * randn(1, 1, s.DecoderWidth));
        pos = 0.02 * randn(1, s.Patches + 1, s.Width);
        decoderPos = 0.02 * randn(1, s.Patches + 1, s.DecoderWidth);
        blocks = nn.ModuleList([.. Enumerable.Range(0, s.Depth).Select(_ => new TorchBlock(s.Width, s.Heads))]);
        norm = nn.LayerNorm(s.Width, 1e-6);
        decoderEmbed = nn.Linear(s.Width, s.DecoderWidth);
        decoderBlocks = nn.ModuleList([
            .. Enumerable.Range(0, s.DecoderDepth).Select(_ => new TorchBlock(s.DecoderWidth, s.DecoderHeads)),
        ]);
        decoderNorm = nn.LayerNorm(s.DecoderWidth, 1e-6);
        pred = nn.Linear(s.DecoderWidth, s.PatchFloats);
        projector = Head();
        predictor = Head();
        RegisterComponents();
    }

    private Sequential Head() =>
        nn.Sequential(
            nn.Linear(s.Width, s.HeadDim, hasBias: false),
            nn.BatchNorm1d(s.HeadDim),
            nn.ReLU(),
            nn.Linear(s.HeadDim, s.Width, hasBias: false)
        );

    /// <summary>patches [B, P, C*p*p], keep [B, K] or null for all; normalised tokens [B, K+1, D].</summary>
    internal Tensor Encode(Tensor patches, Tensor? keep)
    {
        var places = pos.slice(1, 1, s.Patches + 1, 1).expand(patches.shape[0], -1, -1);
        if (keep is not null)
        {
            var rows = keep.unsqueeze(-1);
            patches = patches.gather(1, rows.expand(-1, -1, s.PatchFloats));
            places = places.gather(1, rows.expand(-1, -1, s.Width));
        }
        var x = embed.forward(patches) + places;
        x = cat([(cls + pos.slice(1, 0, 1, 1)).expand(x.shape[0], -1, -1), x], 1);
        foreach (var b in blocks)
            x = b.forward(x);
        return norm.forward(x);
    }

    /// <summary>
    /// Predictions [B, P, C*p*p] from the visible tokens; restore [B, P] is each patch's place in shuffled order.
    /// </summary>
    internal Tensor Decode(Tensor tokens, Tensor restore)
    {
        var x = decoderEmbed.forward(tokens);
        long kept = x.shape[1] - 1;
        var all = cat([x.slice(1, 1, kept + 1, 1), mask.expand(x.shape[0], s.Patches - kept, -1)], 1);
        all = all.gather(1, restore.unsqueeze(-1).expand(-1, -1, s.DecoderWidth));
        x = cat([x.slice(1, 0, 1, 1), all], 1) + decoderPos;
        foreach (var b in decoderBlocks)
            x = b.forward(x);
        return pred.forward(decoderNorm.forward(x)).slice(1, 1, s.Patches + 1, 1);
    }

    internal static Tensor Pool(Tensor tokens) => tokens.slice(1, 1, tokens.shape[1], 1).mean([1]);

    internal Tensor Project(Tensor x) => projector.forward(x);

    internal Tensor Predict(Tensor x) => predictor.forward(x);
}

/// <summary>
/// One LUT optimiser step in PyTorch: the same passes, losses, AdamW and teacher average as ours, on images made
/// beforehand.
/// </summary>
internal sealed class TorchStep
{
    private readonly Sizes s;
    private readonly int batch;
    private readonly TorchNet student;
    private readonly TorchNet teacher;
    private readonly optim.Optimizer optimizer;
    private readonly Tensor u;
    private readonly Tensor v;

    internal TorchStep(Sizes s, int batch)
    {
        this.s = s;
        this.batch = batch;
        random.manual_seed(0);
        student = new TorchNet(s);
        teacher = new TorchNet(s);
        teacher.eval();
        foreach (var p in teacher.parameters())
            p.requires_grad = false;
        optimizer = optim.AdamW(student.parameters(), lr: 1e-4, beta1: 0.9, beta2: 0.95, weight_decay: 0.05);
        u = randn(batch, s.Patches, s.PatchFloats);
        v = randn(batch, s.Patches, s.PatchFloats);
    }

    /// <summary>Seconds of (forward, backward, optimiser and average), and the loss.</summary>
    internal (double Forward, double Backward, double Optimizer, float Loss) Run()
    {
        using var scope = NewDisposeScope();
        long t0 = System.Diagnostics.Stopwatch.GetTimestamp();
        long kept = s.Patches / 4;
        var shuffle = rand(batch, s.Patches).argsort(1);
        var restore = shuffle.argsort(1);
        var tokensU = student.Encode(u, shuffle.slice(1, 0, kept, 1));
        var prediction = student.Decode(tokensU, restore);
        var target = (u - u.mean([-1], keepdim: true)) / (u.var([-1], keepdim: true) + 1e-6).sqrt();
        var masked = (restore >= kept).to(ScalarType.Float32);
        var pixels = ((prediction - target).square().mean([-1]) * masked).sum() / masked.sum();
        var tokensV = student.Encode(v, shuffle.slice(1, kept, 2 * kept, 1));
        Tensor qu = student.Predict(student.Project(TorchNet.Pool(tokensU)));
        Tensor qv = student.Predict(student.Project(TorchNet.Pool(tokensV)));
        Tensor tu;
        Tensor tv;
        using (no_grad())
        {
            tu = teacher.Project(TorchNet.Pool(teacher.Encode(u, null)));
            tv = teacher.Project(TorchNet.Pool(teacher.Encode(v, null)));
        }
        var context = 0.5 * (Distance(qv, tu) + Distance(qu, tv));
        var loss = pixels + 0.25 * context;
        float value = loss.item<float>();
        long t1 = System.Diagnostics.Stopwatch.GetTimestamp();
        optimizer.zero_grad();
        loss.backward();
        long t2 = System.Diagnostics.Stopwatch.GetTimestamp();
        optimizer.step();
        using (no_grad())
            foreach (var (t, p) in teacher.parameters().Zip(student.parameters()))
                t.lerp_(p, 0.004);
        long t3 = System.Diagnostics.Stopwatch.GetTimestamp();
        double f = System.Diagnostics.Stopwatch.Frequency;
        return ((t1 - t0) / f, (t2 - t1) / f, (t3 - t2) / f, value);
    }

    private static Tensor Distance(Tensor q, Tensor t) =>
        (2.0 - 2.0 * (nn.functional.normalize(q, dim: -1) * nn.functional.normalize(t, dim: -1)).sum(-1)).mean();
}
