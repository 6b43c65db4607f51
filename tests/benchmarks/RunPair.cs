using LutNative.Results;

namespace LutNative.Benchmarks;

/// <summary>
/// Two equal runs of the published recipe's size in a temporary folder: 500,000 steps and 1.1 million digests in 1,000
/// parts each, as ViT-B's pre-training writes them with a checkpoint and the digests of all tensors every 500 steps.
/// </summary>
internal sealed class RunPair : IDisposable
{
    private const int StepsOfPart = 500;
    private const int Tensors = 1_100;
    private readonly string folder = Directory.CreateTempSubdirectory("lut-runs-").FullName;
    private readonly RunId id = RunId.New();
    private readonly Random random = new(1);

    internal string A => Path.Combine(folder, "a");
    internal string B => Path.Combine(folder, "b");

    /// <summary>Writes the one and copies it.</summary>
    internal void Make(int parts)
    {
        Directory.CreateDirectory(A);
        var metadata = new Dictionary<string, string>
        {
            ["lut.run_id"] = id.Text,
            ["lut.protocol"] = "imagenet-lut-vitb16@1",
            ["lut.contract"] = "exact-1",
            ["lut.math_hash"] = "aa",
            ["lut.data_hash"] = "bb",
        };
        for (int p = 0; p < parts; p++)
        {
            long first = (long)p * StepsOfPart;
            var steps = new Table<StepRow>(Enumerable.Range(0, StepsOfPart).Select(s => Step(first + s)));
            var digests = new Table<DigestRow>(
                Enumerable.Range(0, Tensors).Select(t => Tensor(first + StepsOfPart - 1, t))
            );
            TableFile.Write(Path.Combine(A, PartName.Of(Schema.Steps, p)), steps, metadata);
            TableFile.Write(Path.Combine(A, PartName.Of(Schema.Digests, p)), digests, metadata);
        }
        Directory.CreateDirectory(B);
        foreach (string file in Directory.GetFiles(A))
            File.Copy(file, Path.Combine(B, Path.GetFileName(file)));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private StepRow Step(long step)
    {
        float loss = 1 + random.NextSingle();
        float norm = random.NextSingle();
        double lr = 1e-3 * random.NextDouble();
        return new StepRow
        {
            RunId = id,
            Stage = "pretrain",
            Step = step,
            Epoch = (int)(step / 312),
            ImagesSeen = (step + 1) * 4096,
            Lr = lr,
            LrBits = Bits64.Of(lr),
            Loss = loss,
            LossBits = Bits32.Of(loss),
            LossRecon = loss,
            LossReconBits = Bits32.Of(loss),
            LossContext = norm,
            LossContextBits = Bits32.Of(norm),
            GradNorm = norm,
            GradNormBits = Bits32.Of(norm),
            BatchIdsDigest = Digest(),
            StateDigest = step % StepsOfPart == StepsOfPart - 1 ? Digest() : null,
            StepNs = random.NextInt64(3_000_000_000),
            DataNs = random.NextInt64(1_000_000),
            ViewsDigest = null,
            MaskDigest = Digest(),
        };
    }

    private DigestRow Tensor(long step, int t) =>
        new()
        {
            RunId = id,
            Stage = "pretrain",
            Step = step,
            Ordinal = t,
            Tensor = $"student/blocks.{t / 12}.part.{t % 12}.weight",
            Shape = "768x768",
            Digest = Digest(),
        };

    private DigestBytes Digest()
    {
        byte[] bytes = new byte[16];
        random.NextBytes(bytes);
        return new DigestBytes(bytes);
    }
}
