using LutNative.Harness.Evaluation;
using LutNative.Harness.Experiments;
using LutNative.Harness.Experiments.Stages;
using LutNative.Harness.Protocol;
using LutNative.Harness.Tests.Cli;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Model.Numerics;
using LutNative.Model.Optim;
using LutNative.Model.Tensors;
using LutNative.Results;

namespace LutNative.Harness.Tests.Stages;

/// <summary>
/// An eighth stage, added by one class alone, runs as the others do: recorded, digested, checkpointed, interrupted,
/// resumed, measured.
/// </summary>
public sealed class AddedStageTests : IDisposable
{
    private const int Length = 6;
    private static readonly StageId Counting = new("counting", 77);
    private static readonly StageCatalog Eight = new([.. StageCatalog.Default.All, new CountingStage()]);
    private readonly TemporaryFolder folder = new();

    [Fact]
    public void ItRunsBesideTheOthers()
    {
        var run = Runner.Run(Request("whole", [StageId.Raw, Counting]), default);
        Assert.Equal(
            ["raw_knn_top1", "raw_probe_top1", Counting.Top1],
            run.Read(Schema.Evals).Rows.Select(r => r.Metric)
        );
        Assert.Equal(Enumerable.Repeat(Counting.Name, Length), run.Read(Schema.Steps).Rows.Select(r => r.Stage));
        Assert.Equal("raw,counting", run.Read(Schema.Run).First!.Stages);
        Assert.Equal(
            ["counting-00000006.safetensors"],
            Directory.GetFiles(Path.Combine(run.Folder, "checkpoints"), "*.safetensors").Select(Path.GetFileName)
        );
    }

    [Fact]
    public void InterruptedItGoesOnWithTheSameBits()
    {
        var whole = Runner.Run(Request("whole", [Counting]), default);
        var drill = new DrillOptions(StopAfter: 2);
        Assert.Throws<InterruptedException>(() =>
            Runner.Run(Request("cut", [Counting]) with { Drill = drill }, default)
        );
        string begun = Directory.GetDirectories(folder["cut"]).Single();
        var resumed = Runner.Run(Request("cut", [Counting]) with { ResumeFolder = begun }, default);
        Assert.Equal(begun, resumed.Folder);
        Assert.Contains("resume", resumed.Read(Schema.Events).Rows.Select(r => r.Key));
        Assert.Equal(Digests(whole), Digests(resumed));
        Assert.Equal(Length, Digests(whole).Distinct().Count());
    }

    public void Dispose() => folder.Dispose();

    private static IEnumerable<DigestBytes> Digests(RunStore run) =>
        run.Read(Schema.Digests).Rows.Select(r => r.Digest);

    private RunRequest Request(string output, StageId[] stages) =>
        new(
            ProtocolReader.Load("hello@1", []),
            new ExecOptions(1, 0, 0, TimeSpan.FromMinutes(1)),
            Cpu.Best(),
            folder[output],
            null,
            null,
            stages,
            null,
            Quiet: true,
            ["test"]
        )
        {
            Catalog = Eight,
        };

    /// <summary>All of the eighth stage: this class is what is added.</summary>
    private sealed class CountingStage : IStage
    {
        public StageId Id => Counting;
        public bool Trains => true;
        public StageInput Input => StageInput.Images;
        public IReadOnlyList<string> Metrics => [Id.Top1];

        public StagePresence In(ProtocolSpec p) => StagePresence.On;

        public long Steps(ProtocolSpec p) => Length;

        public IReadOnlyList<StageBytes> Moments(StageMemory memory) => [new(sizeof(float), 0)];

        public void Run(RunContext run)
        {
            using var counter = new Counter(run.Device);
            run.Train(counter);
            run.Measure(
                Id.Top1,
                () =>
                    new EvalResult(
                        Id.Top1,
                        [.. run.TestViews.Images.Labels],
                        new float[run.TestViews.Images.Count],
                        run.TestViews.Images.Labels
                    )
            );
        }
    }

    /// <summary>Its one value is 1 more after each step.</summary>
    private sealed class Counter : Trainer
    {
        private readonly State state;

        internal Counter(Device device)
            : base(device)
        {
            var layout = new StateLayout();
            layout.Add("count", [1], EntryKind.Parameter);
            state = new State(layout, Arena);
        }

        public override StageId Id => Counting;
        public override int StepsPerEpoch => Length / 2;
        public override int Epochs => 2;
        public override int Batch => 1;
        public override int DigestEvery => 1;
        public override AdamWOptimizer? Optimizer => null;
        public override IEnumerable<(string Name, State State)> States => [("student", state)];

        public override StepReport Step(long s)
        {
            float count = ++state[state.Layout.Entries[0]].Span[0];
            return new StepReport(0, count, null, null, 0, Digest.Of([(int)s]), 0);
        }
    }
}
