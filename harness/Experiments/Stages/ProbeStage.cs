using LutNative.Harness.Evaluation;
using LutNative.Harness.Protocol;
using LutNative.Model.Tensors;
using LutNative.Results;

namespace LutNative.Harness.Experiments.Stages;

/// <summary>Logistic regression on frozen features.</summary>
internal sealed class ProbeStage : IStage
{
    public StageId Id => StageId.Probe;
    public bool Trains => false;
    public StageInput Input => StageInput.Features;
    public IReadOnlyList<string> Metrics => [Id.Top1];

    public StagePresence In(ProtocolSpec p) => StagePresence.On;

    public long Steps(ProtocolSpec p) => 0;

    public IReadOnlyList<StageBytes> Moments(StageMemory memory) => memory.Frozen;

    public void Run(RunContext run)
    {
        var (train, test) = run.Features();
        run.Measure(Id.Top1, () => Linear(run, train, test));
    }

    /// <param name="train">[N, D], a row an image of the training set; test alike.</param>
    internal static EvalResult Linear(RunContext run, Mat train, Mat test) =>
        LinearProbe.Run(
            run.Spec.Probe,
            run.Spec.Seed,
            train,
            run.TrainViews.Images.Labels,
            test,
            run.TestViews.Images.Labels,
            run.Spec.Data.Classes,
            run.HostDevice,
            run.HostPool
        );
}
