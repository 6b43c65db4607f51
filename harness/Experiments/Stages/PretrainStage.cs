using LutNative.Harness.Errors;
using LutNative.Harness.Evaluation;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;
using LutNative.Results;

namespace LutNative.Harness.Experiments.Stages;

/// <summary>MAE or LUT pre-training; a few images and their reconstructions are drawn at its end.</summary>
internal sealed class PretrainStage : ITrainedStage
{
    private const string Picture = "reconstructions.png";

    public StageId Id => StageId.Pretrain;
    public bool Trains => true;
    public StageInput Input => StageInput.Trunk;
    public IReadOnlyList<string> Metrics => [];
    public bool IsBenched => true;

    public StagePresence In(ProtocolSpec p) => StagePresence.On;

    public long Steps(ProtocolSpec p) => (long)(p.Data.TrainImages / p.Pretrain.Batch) * p.Pretrain.Epochs;

    public int Batch(ProtocolSpec p) => p.Pretrain.Batch;

    public int Grain(ProtocolSpec p) => p.Pretrain.Grain;

    public double FlopsPerImage(ProtocolSpec p) => new Cost(p, NetworkFactory.PretrainingOf(p)).PretrainFlops;

    public IReadOnlyList<StageBytes> Moments(StageMemory memory) => memory.Pretrain;

    public Trainer NewTrainer(
        ProtocolSpec p,
        Views views,
        Device device,
        Pool pool,
        ExecOptions exec,
        State? trunk = null,
        BenchOptions? bench = null
    ) => new PretrainTrainer(p, views, device, pool, exec, bench);

    public void Run(RunContext run)
    {
        run.Train(run.Trunk);
        run.Trunk.FreeStep();
        string picture = Path.Combine(run.Store.Folder, Picture);
        try
        {
            Reconstructions.Write(
                picture,
                run.Spec,
                run.Trunk.Net,
                run.Trunk.PackedStudent(),
                run.TestViews,
                run.Device
            );
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw RunStoreErrors.CannotWriteReconstructions(picture, e.Message);
        }
    }
}
