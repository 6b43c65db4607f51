using LutNative.Harness.Errors;
using LutNative.Harness.Experiments.Stages;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Model.Numerics;

namespace LutNative.Harness.Bench;

/// <summary>
/// The networks that `lut bench` measures: a protocol's, with its own images, or one of a few shapes with noise for
/// images (a step's time does not depend on the values). Everything that a shape does not name is fashion-lut@1's.
/// </summary>
internal sealed record BenchShape(string Name, string Title, ProtocolSpec Protocol)
{
    /// <summary>Shapes without a data set: their names, for help and errors.</summary>
    internal static IReadOnlyList<string> Names { get; } = ["tiny", "tiny-wide", "vitb16"];

    internal int Batch(string stage) => Trained(stage).Batch(Protocol);

    internal int Grain(string stage) => Trained(stage).Grain(Protocol);

    /// <param name="stage">One that `lut bench` measures.</param>
    internal static ITrainedStage Trained(string stage) => StageCatalog.Default.Benched.Single(s => s.Id.Name == stage);

    internal static BenchShape Of(BenchOrder order) => Find(order.Shape, order.Batch, order.OnGpu).With(order.Method);

    /// <param name="method">lut or mae; "" for the shape's own.</param>
    internal BenchShape With(string method) =>
        method.Length == 0
            ? this
            : this with
            {
                Protocol = Protocol with { Pretrain = Protocol.Pretrain with { Method = method } },
            };

    /// <param name="batch">Samples of a step, or 0 for the shape's own.</param>
    /// <param name="gpu">
    /// A GPU computes: a batch is cut as the published protocols cut it. The digest after three steps is that cut's.
    /// </param>
    internal static BenchShape Find(string name, int batch, bool gpu = false)
    {
        if (!Names.Contains(name))
        {
            if (!name.Contains('/') && !ProtocolReader.BuiltIn.Contains(name))
                throw UsageErrors.NoShape(name, [.. Names, .. ProtocolReader.BuiltIn]);
            var resolved = ProtocolReader.Load(
                name,
                batch == 0 ? [] : [$"pretrain.batch={batch}", $"pretrain.bn_batch={batch}", $"finetune.batch={batch}"]
            );
            // schedules without an end: a benchmark takes as many steps as its time allows
            var spec = resolved.Spec with
            {
                Pretrain = resolved.Spec.Pretrain with { Epochs = 1 << 20 },
                Finetune = resolved.Spec.Finetune with { Epochs = 1 << 20 },
            };
            return new BenchShape(name, spec.Title, spec);
        }
        var basis = ProtocolReader.Load("fashion-lut@1", []).Spec;
        return name switch
        {
            "vitb16" => Shaped(
                "ViT-B/16 at 224, decoder 512 x 8",
                224,
                new ModelSpec(16, 768, 12, 12, 4.0, 1e-6, 512, 8, 16),
                batch == 0 ? 8 : batch
            ),
            "tiny" => Shaped(
                "32 x 32, patch 4, width 192, depth 12, decoder 96 x 2",
                32,
                new ModelSpec(4, 192, 12, 3, 4.0, 1e-6, 96, 2, 3),
                batch == 0 ? 64 : batch
            ),
            _ => Shaped(
                "32 x 32, patch 4, width 192, depth 12, decoder 192 x 4",
                32,
                new ModelSpec(4, 192, 12, 3, 4.0, 1e-6, 192, 4, 3),
                batch == 0 ? 64 : batch
            ),
        };

        BenchShape Shaped(string title, int size, ModelSpec model, int samples)
        {
            int grain = GrainOf(samples, size, gpu);
            return new BenchShape(
                name,
                title,
                basis with
                {
                    Protocol = name,
                    Data = basis.Data with
                    {
                        Name = "noise",
                        TrainImages = samples,
                        TestImages = samples,
                        ImageSize = size,
                        Classes = 100,
                    },
                    Model = model,
                    Pretrain = basis.Pretrain with
                    {
                        Epochs = 1 << 20,
                        Batch = samples,
                        BnBatch = samples,
                        Grain = grain,
                        HeadMlpDim = 4096,
                    },
                    Finetune = basis.Finetune with { Epochs = 1 << 20, Batch = samples, Grain = grain },
                }
            );
        }
    }

    /// <summary>Noise as gray images, from the contract's generator.</summary>
    internal ImageSource Images(string? dataFolder)
    {
        if (Protocol.Data.Name != "noise")
            return DataSets.Load(Protocol.Data, dataFolder).Train;
        int size = Protocol.Data.ImageSize;
        int count = Protocol.Data.TrainImages;
        byte[] pixels = new byte[count * size * size];
        int[] labels = new int[count];
        var random = new Philox(0, Purpose.Test, 0, 0, 0);
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)random.NextBelow(256);
        for (int i = 0; i < count; i++)
            labels[i] = i % Protocol.Data.Classes;
        return new GrayImages(pixels, labels, size, "");
    }

    /// <summary>
    /// pretrain.grain of imagenet-lut-vitb16@1: with less a GPU would fold many small products that no run has.
    /// </summary>
    private const int PublishedGrain = 32;

    /// <summary>
    /// About 800 tokens of the whole image: rows enough for the products, few enough that a batch has a grain for each
    /// core.
    /// </summary>
    private static int GrainOf(int batch, int size, bool gpu)
    {
        int grain = Math.Min(
            batch,
            size < 224 ? 16
                : gpu ? PublishedGrain
                : 4
        );
        while (batch % grain != 0)
            grain--;
        return grain;
    }
}
