// Images to features: a run's pre-trained encoder, all patches visible, one row of numbers an image.
using LutNative.Harness.Evaluation;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Model.Checkpoints;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

if (args.Length < 2)
{
    Console.Error.WriteLine("usage: EmbedImage RUN IMAGE...");
    return 2;
}
string run = args[0];
string[] images = args[1..];

// the run says what network it trained; its newest checkpoint has the weights
var protocol = ProtocolReader.Load(Path.Combine(run, "config.resolved.toml"), []).Spec;
string checkpoint = Directory.GetFiles(Path.Combine(run, "checkpoints"), "pretrain-*.safetensors").Max()!;

var device = Cpu.Best();
using var pool = new Pool(Environment.ProcessorCount);
using var arena = device.NewArena();
var network = NetworkFactory.PretrainingOf(protocol);
var state = new State(network.Layout, arena);
using (var file = WeightSet.Open(checkpoint))
    WeightLoader.Load(file, state, EncoderNames.Is);
var weights = new Weights(state, device, arena, backward: false);
weights.Pack(pool);

using var features = new Features(network, weights, device, pool);
Mat rows = arena.Matrix(images.Length, protocol.Model.Width); // [N, D]
features.Encode(rows, Planes);

for (int i = 0; i < images.Length; i++)
{
    float[] row = rows.Slice(i, 1).Span.ToArray();
    string bits = string.Join(' ', row[..4].Select(x => $"{BitConverter.SingleToUInt32Bits(x):x8}"));
    double near = Cosine(row, rows.Slice(0, 1).Span.ToArray());
    Console.WriteLine($"{Path.GetFileName(images[i]), -13} cosine {near:F4}  bits {bits}");
}
return 0;

// what the network sees of an image: [C, H, W], normalised as the protocol says
void Planes(int i, Span<float> planes)
{
    var data = protocol.Data;
    var picture = Decoder.Decode(File.ReadAllBytes(images[i]), images[i]);
    Resampling
        .ResizeShorter(picture, data.ImageSize, ResampleFilter.Bicubic)
        .CenterCrop(data.ImageSize)
        .Normalise(planes, [.. data.Mean.Select(x => (float)x)], [.. data.Std.Select(x => (float)x)]);
}

static double Cosine(float[] a, float[] b) => Dot(a, b) / Math.Sqrt(Dot(a, a) * Dot(b, b));

static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();
