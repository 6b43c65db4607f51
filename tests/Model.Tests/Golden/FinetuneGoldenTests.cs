using System.Text.Json;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Ops;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Tests.Golden;

/// <summary>
/// Whole fine-tuning steps against the authors' code and timm: mixing, targets, drop path, layer decay, clipping, final
/// state and logits.
/// </summary>
public class FinetuneGoldenTests
{
    private const double Tolerance = 1e-5;

    public static TheoryData<string> Files => GoldenFile.All("finetune");

    private sealed class Source(GoldenFile g, int step, int depth, float[] images, float[] targets) : ILabelledSource
    {
        public void Load(int position, Span<float> image, Span<float> target)
        {
            images.AsSpan(position * image.Length, image.Length).CopyTo(image);
            targets.AsSpan(position * target.Length, target.Length).CopyTo(target);
        }

        // recorded in call order; blocks without drop path draw nothing
        public float DropPathDraw(int position, int block, int branch)
        {
            var draws = g[$"step{step}/drop_path_uniform"];
            int silent = depth - (int)draws.Shape[0] / 2;
            return draws.Floats[((block - silent) * 2 + branch) * (int)draws.Shape[1] + position];
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public unsafe void EveryStepMatchesTheAuthorsCode(string path)
    {
        var g = new GoldenFile(path);
        int batch = g.Int("batch");
        int steps = g.Int("steps");
        int classes = g.Int("classes");
        var device = Cpu.Best();
        using var arena = new Arena();
        using var pool = new Pool(2);
        var shape = new VitShape(
            new PatchGrid(g.Int("img"), g.Int("patch")),
            g.Int("dim"),
            g.Int("depth"),
            g.Int("heads")
        );
        var net = new Classifier(shape, classes, globalPool: !g.Flag("cls_token"), (float)g.Number("drop_path"));
        var state = new State(net.Layout, arena);
        foreach (var e in net.Layout.Entries)
            g["init/" + e.Name].Floats.CopyTo(state[e].Span);
        var weights = new Weights(state, device, arena, true);
        int grain = batch % 2 == 0 ? 2 : 1;
        var step = new ClassifierStep(net, weights, device, pool, arena, new BatchPlan(batch, batch, grain, grain));
        var adam = new AdamWOptimizer(
            device,
            state,
            arena,
            0.9,
            0.999,
            1e-8,
            net.Groups(g.Number("layer_decay"), g.Number("wd"))
        );
        double? clip = g.Config.GetProperty("clip").ValueKind == JsonValueKind.Null ? null : g.Number("clip");
        for (int s = 0; s < steps; s++)
        {
            string at = $"{Path.GetFileName(path)} step {s}";
            var scalars = g.Scalars[s];
            float[] images = g[$"step{s}/images"].Floats.ToArray();
            float[] targets = new float[batch * classes];
            Mix(g, s, images, targets, batch, classes, shape.Grid.Size);
            if (g.Has($"step{s}/mixed_images"))
                GoldenFile.Near(at + " mixed images", images, g[$"step{s}/mixed_images"].Floats, 1e-6);
            if (g.Has($"step{s}/soft_targets"))
                GoldenFile.Near(at + " targets", targets, g[$"step{s}/soft_targets"].Floats, 1e-6);
            weights.Pack(pool);
            step.OnLogits = (first, logits) =>
                GoldenFile.Near(
                    $"{at} logits from {first}",
                    logits.Span,
                    g[$"step{s}/logits"].Floats.Slice(first * classes, (int)logits.Count),
                    Tolerance
                );
            float loss = step.Run(new Source(g, s, shape.Depth, images, targets));
            GoldenFile.NearScalar(at + " loss", loss, scalars.GetProperty("loss").GetDouble(), 2e-6);
            GoldenFile.NearScalar(
                at + " gradient norm",
                adam.ClipNorm(pool, step.Gradient, clip),
                scalars.GetProperty("grad_norm").GetDouble(),
                1e-5
            );
            foreach (var e in net.Layout.Entries.Where(e => g.Has($"step{s}/grad/{e.Name}")))
                GoldenFile.Near(
                    $"{at} gradient of {e.Name}",
                    step.Gradient[e].Span,
                    g[$"step{s}/grad/{e.Name}"].Floats,
                    Tolerance,
                    PretrainGoldenTests.KeyBias(e)
                );
            double lr = Schedules.LearningRate(
                s + 0.5,
                g.Number("blr") * Math.Sqrt(batch) / 8,
                1e-6,
                g.Number("warmup"),
                g.Number("total_steps")
            );
            GoldenFile.NearScalar(at + " lr", lr, scalars.GetProperty("lr").GetDouble());
            adam.Step(pool, step.Gradient, lr);
        }
        foreach (var e in net.Layout.Entries)
            GoldenFile.Near(
                $"{Path.GetFileName(path)} final {e.Name}",
                state[e].Span,
                g["final/" + e.Name].Floats,
                Tolerance,
                PretrainGoldenTests.KeyBias(e)
            );
        weights.Pack(pool);
        var a = new Classifier.Activations(arena, net, batch, training: false);
        string last = g.Has("eval_images") ? "eval_images" : $"step{steps - 1}/images";
        g[last].Floats.CopyTo(a.Trunk.Images.Span);
        net.Forward(new Pass(device, weights), a);
        GoldenFile.Near(
            $"{Path.GetFileName(path)} evaluation logits",
            a.Logits.Span,
            g["eval_logits"].Floats,
            Tolerance
        );
    }

    private static void Mix(
        GoldenFile g,
        int s,
        Span<float> images,
        Span<float> targets,
        int batch,
        int classes,
        int size
    )
    {
        var labels = g[$"step{s}/labels"].Longs;
        double lam = 1.0;
        if (g.Scalars[s].TryGetProperty("mix", out var mix) && mix.ValueKind == JsonValueKind.Object)
        {
            lam = mix.GetProperty("lam").GetDouble();
            bool cut = mix.GetProperty("use_cutmix").GetBoolean();
            if (cut)
                lam = mix.GetProperty("lam_corrected").GetDouble();
            float[] originals = images.ToArray();
            for (int i = 0, n = images.Length / batch; i < batch; i++)
            {
                Span<float> image = images.Slice(i * n, n);
                Span<float> partner = originals.AsSpan((batch - 1 - i) * n, n);
                if (!cut)
                    Mixing.MixUp(image, partner, lam);
                else
                {
                    int[] box = [.. mix.GetProperty("box_yyxx").EnumerateArray().Select(x => x.GetInt32())];
                    Mixing.CutMix(image, partner, size, new Mixing.Box(box[0], box[1], box[2], box[3]));
                }
            }
        }
        for (int i = 0; i < batch; i++)
            Mixing.Target(
                targets.Slice(i * classes, classes),
                (int)labels[i],
                (int)labels[batch - 1 - i],
                lam,
                g.Number("smoothing")
            );
    }
}
