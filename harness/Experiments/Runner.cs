using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using LutNative.Harness.Errors;
using LutNative.Harness.Evaluation;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Model.Tensors;
using LutNative.Results;

namespace LutNative.Harness.Experiments;

/// <summary>One run of a protocol, or of some of its stages.</summary>
/// <param name="Stages">Of pretrain, knn, probe, finetune, scratch, raw.</param>
/// <param name="Checkpoint">Pre-trained weights to use instead of running pretrain.</param>
/// <param name="Which">Which set of weights of a foreign checkpoint; "" for the student's.</param>
/// <param name="SelfCheck">Run the first steps twice in different ways before anything else.</param>
/// <param name="ResumeFolder">The interrupted run to go on with.</param>
/// <param name="FailFast">Stop at the first digest that the reference has another one of.</param>
public sealed record RunRequest(
    ResolvedProtocol Protocol,
    ExecOptions Exec,
    Device Device,
    string Output,
    string? ResumeFolder,
    string? DataFolder,
    IReadOnlyList<string> Stages,
    string? Checkpoint,
    bool Quiet,
    string[] Argv,
    string Which = "",
    bool SelfCheck = false,
    bool FailFast = false,
    string? Index = null
)
{
    public static IReadOnlyList<string> AllStages { get; } =
    ["pretrain", "knn", "probe", "linprobe", "finetune", "scratch", "raw"];

    /// <summary>The stages that this protocol has, of those that were asked for.</summary>
    public IReadOnlyList<string> Planned { get; } =
    [.. Stages.Where(s => s != "linprobe" || Protocol.Spec.Linprobe is not null)];
}

/// <summary>Runs stages in order, each from where the newest checkpoint left it, and closes the run's folder.</summary>
public sealed class Runner
{
    private readonly RunRequest request;
    private readonly ProtocolSpec p;
    private readonly Progress progress;
    private readonly RunPreparation at;
    private readonly RunFolder folder;
    private readonly CheckpointPlace? place;
    private readonly int resumes;
    private readonly Recorder recorder;
    private readonly HashSet<string> known;
    private readonly ReferenceWatch? watch;
    private readonly CancellationToken stop;

    private Runner(
        RunRequest request,
        Progress progress,
        RunPreparation at,
        RunFolder folder,
        CheckpointPlace? place,
        int resumes,
        Recorder recorder,
        HashSet<string> known,
        ReferenceWatch? watch,
        CancellationToken stop
    )
    {
        this.request = request;
        this.progress = progress;
        this.at = at;
        this.folder = folder;
        this.place = place;
        this.resumes = resumes;
        this.recorder = recorder;
        this.known = known;
        this.watch = watch;
        this.stop = stop;
        p = request.Protocol.Spec;
    }

    /// <summary>Returns the finished run's folder.</summary>
    public static RunStore Run(RunRequest request, CancellationToken stop)
    {
        var progress = new Progress(request.Quiet);
        using var at = RunPreparation.Of(request, progress);
        string newRun = Guid.CreateVersion7().ToString();
        string path =
            request.ResumeFolder
            ?? Path.Combine(
                request.Output,
                FormattableString.Invariant($"{request.Protocol.Name}_s{request.Protocol.Spec.Seed}_{newRun[^8..]}")
            );
        var state = RunFolder.Open(path, at.Identity, Progress.Warn);
        if (state is FolderState.Refused refused)
            throw refused.Reason;
        var going = state as FolderState.ResumeAt;
        using var folder = going?.Folder ?? ((FolderState.New)state).Folder;
        Interruption.CheckpointsAre(folder.Checkpoints.Folder);
        string runId = going?.RunId ?? newRun;
        var recorder = new Recorder(folder.Store, runId, at.Identity.Metadata(runId))
        {
            Gpu = at.Nvml,
            BeforeCommit = folder.Check,
        };
        recorder.Event(
            request.ResumeFolder is null ? "run_start" : "resume",
            going?.Place.Stage ?? "",
            going?.Place.Step,
            request.Protocol.Name
        );
        if (at.Identity.WeightsSha256 is { } weights)
            recorder.Event(RunIdentity.WeightsEvent, "", null, $"{weights} {WeightsHash.NameOf(request.Checkpoint!)}");
        foreach (string note in at.WeightNotes)
            recorder.Event("weights", "", null, note);
        if (at.SelfChecked is { } passed)
            recorder.Event("self_check", "pretrain", null, passed);
        HashSet<string> known = [.. folder.Store.Read(Schema.Evals).Rows.Select(e => e.Metric)];
        var watch = ReferenceWatch.Of(at.Identity, recorder, Progress.Warn);
        int resumes = (going?.Resumes ?? 0) + (request.ResumeFolder is null ? 0 : 1);
        return new Runner(request, progress, at, folder, going?.Place, resumes, recorder, known, watch, stop).Run();
    }

    private RunStore Run()
    {
        Say();
        if (request.FailFast && watch is null)
            Progress.Warn(
                "this run has no reference (other values, another seed, other data, or weights from outside): --fail-fast has nothing to compare with"
            );
        Heed();
        Stages();
        Close();
        return folder.Store;
    }

    /// <summary>A run that shall not go on with other bits than its reference ends here.</summary>
    private void Heed()
    {
        if (request.FailFast && watch?.Difference is not null)
            throw watch.Stop(folder.Store.Folder);
    }

    private void Say()
    {
        progress.Say(
            FormattableString.Invariant(
                $"lut {LutVersion.Text} {request.Protocol.Name} seed {p.Seed} contract {request.Protocol.Level ?? p.Contract}"
            )
        );
        progress.Say(
            FormattableString.Invariant(
                $"machine {Machine.CpuModel}, {Machine.Isa}, device {request.Device.Name}, {request.Exec.Threads} threads"
            )
        );
        progress.Say($"math_hash {request.Protocol.MathHash}");
        progress.Say($"run {folder.Store.Folder}");
        if (place is not null)
            progress.Say(FormattableString.Invariant($"resuming from {place.Stage} step {place.Step}"));
    }

    private void Stages()
    {
        var pretrain = at.Trunk;
        if (pretrain is not null)
            Pretrain(pretrain);
        if (pretrain is not null)
            Probe(pretrain);
        if (pretrain is not null && request.Planned.Contains("linprobe") && !known.Contains("linprobe_top1"))
            Linprobe(pretrain);
        foreach (string stage in new[] { "finetune", "scratch" })
            if (
                request.Stages.Contains(stage)
                && !known.Contains(stage + "_top1")
                && (stage != "scratch" || p.Baselines.Scratch)
                && p.Finetune.Epochs > 0
            )
                Supervised(stage, stage == "finetune" ? pretrain!.Student : null);
        if (request.Stages.Contains("raw") && p.Baselines.RawPixels)
            Raw();
    }

    private void Pretrain(PretrainTrainer t)
    {
        // weights from outside were loaded before the run had a folder
        if (!request.Stages.Contains("pretrain") && request.Checkpoint is not null)
            return;
        Train(t);
        t.FreeStep();
        if (!request.Stages.Contains("pretrain"))
            return;
        string picture = Path.Combine(folder.Store.Folder, "reconstructions.png");
        try
        {
            Reconstructions.Write(picture, p, t.Net, t.PackedStudent(), at.Test, request.Device);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LutError(
                Exit.Store,
                405,
                "cannot write the picture of reconstructions",
                picture,
                e.Message,
                "free some space and resume; checkpoints and tables are intact"
            );
        }
    }

    private void Probe(PretrainTrainer t)
    {
        var wanted = new[] { "knn", "probe" }
            .Where(s => request.Stages.Contains(s) && !known.Contains(s + "_top1"))
            .ToArray();
        if (wanted.Length == 0)
            return;
        using var arena = new Arena();
        progress.Say("stage=features");
        using var features = new Features(t.Net, t.PackedStudent(), request.Device, at.Pool);
        Mat a = features.Encode(at.Train, arena);
        Mat b = features.Encode(at.Test, arena);
        foreach (string s in wanted)
            Measure(() => s == "knn" ? Neighbours(a, b) : Linear(a, b));
    }

    private void Raw()
    {
        using var arena = new Arena();
        Mat a = Features.RawPixels((GrayImages)at.TrainSet, arena);
        Mat b = Features.RawPixels((GrayImages)at.TestSet, arena); // ProtocolRules allows no other
        if (!known.Contains("raw_knn_top1"))
            Measure(() => Neighbours(a, b) with { Metric = "raw_knn_top1" });
        if (!known.Contains("raw_probe_top1"))
            Measure(() => Linear(a, b) with { Metric = "raw_probe_top1" });
    }

    private EvalResult Neighbours(Mat a, Mat b) =>
        Knn.Run(p.Knn, a, at.TrainSet.Labels, b, at.TestSet.Labels, p.Data.Classes, at.HostDevice, at.HostPool);

    private EvalResult Linear(Mat a, Mat b) =>
        LinearProbe.Run(
            p.Probe,
            p.Seed,
            a,
            at.TrainSet.Labels,
            b,
            at.TestSet.Labels,
            p.Data.Classes,
            at.HostDevice,
            at.HostPool
        );

    private void Linprobe(PretrainTrainer pretrained)
    {
        using var features = new Features(
            pretrained.Net,
            pretrained.PackedStudent(),
            request.Device,
            at.Pool,
            cls: p.Linprobe!.Token == "cls"
        );
        using var t = new LinprobeTrainer(p, features, at.Train, at.HostDevice, at.HostPool);
        Train(t);
        Measure(() => t.Evaluate(at.Test));
    }

    private void Supervised(string stage, State? trunk)
    {
        using var t = new FinetuneTrainer(p, at.Train, request.Device, at.Pool, request.Exec, trunk);
        Train(t);
        Measure(() => Classify.Run(stage + "_top1", t.Net, t.Packed(), at.Test, request.Device, at.Pool));
    }

    /// <summary>From where the newest checkpoint left the stage.</summary>
    private void Train(Trainer t)
    {
        long from = 0;
        if (place is not null && CheckpointName.OrderOf(place.Stage) >= CheckpointName.OrderOf(t.Stage))
        {
            folder.Checkpoints.Load(
                place.Stage == t.Stage ? place.Path : folder.Checkpoints.PathOf(t.Stage, t.Steps),
                t
            );
            from = place.Stage == t.Stage ? place.Step : t.Steps;
        }
        if (from < t.Steps)
            TrainingLoop.Run(
                t,
                from,
                recorder,
                folder.Checkpoints,
                at.Pool,
                request.Exec,
                progress,
                watch,
                request.FailFast,
                stop
            );
        Heed();
    }

    private void Measure(Func<EvalResult> run)
    {
        long before = Stopwatch.GetTimestamp();
        var result = run();
        watch?.Eval(result);
        recorder.Eval(result, (long)Stopwatch.GetElapsedTime(before).TotalNanoseconds);
        recorder.Event(
            "eval",
            "",
            null,
            FormattableString.Invariant($"{result.Metric} {result.Correct}/{result.Labels.Length}")
        );
        progress.Say(
            FormattableString.Invariant(
                $"eval={result.Metric} correct={result.Correct}/{result.Labels.Length} percent={result.Accuracy:f2}"
            )
        );
        recorder.Commit();
        Heed();
        if (stop.IsCancellationRequested)
            throw new InterruptedException(
                "stopped after an evaluation; the last checkpoint is on disk; go on with --resume auto"
            );
    }

    private void Close()
    {
        recorder.Event("run_stop", "", null, "success");
        recorder.Commit();
        var steps = folder.Store.Read(Schema.Steps).Rows;
        var id = new RunId(recorder.RunId);
        Table<EnvRow> env = new([.. Machine.Assemblies(id), .. Machine.Libraries(id), .. Machine.Kernels(id)]);
        var e = request.Exec;
        Table<RunRow> run = new();
        run.Add(
            new RunRow
            {
                RunId = id,
                Protocol = request.Protocol.Name,
                ProtocolModified = request.Protocol.Modified,
                Stages = string.Join(",", request.Planned),
                Status = "success",
                ExitCode = 0,
                StartedUtc = at.StartedUtc,
                EndedUtc = DateTime.UtcNow,
                WallNs = (long)Stopwatch.GetElapsedTime(at.Started).TotalNanoseconds,
                Seed = p.Seed,
                Contract = request.Protocol.Level ?? p.Contract,
                MathHash = request.Protocol.MathHash,
                DataHash = at.Identity.DataHash,
                ExecHash = Hash(
                    FormattableString.Invariant(
                        $"{request.Device.Name} {e.Threads} {e.MicroBatch} {e.DataWorkers} {e.Recompute}"
                    )
                ),
                CodeId = LutVersion.Text,
                LutVersion = LutVersion.Text,
                DeterminismLevel = request.Protocol.Level is null
                    ? "bitwise-cross-device"
                    : "bitwise-same-device-and-libraries",
                Device = request.Device.Name,
                Threads = e.Threads,
                MicroBatch = e.MicroBatch,
                DataWorkers = e.DataWorkers,
                ResumeCount = resumes,
                NSteps = steps.Count,
                ImagesSeen = steps.GroupBy(r => r.Stage).Sum(g => g.Max(r => r.ImagesSeen)),
                ConfigToml = Encoding.UTF8.GetBytes(request.Protocol.Toml),
                Argv = Encoding.UTF8.GetBytes(string.Join(' ', request.Argv)),
                EnvHash = Hash(string.Join('\n', env.Rows.Select(r => $"{r.Name} {r.Version} {r.Sha256}"))),
                HwKey = Machine.HardwareKey(request.Device),
                GitSha = Machine.GitSha,
                Trigger = Machine.Trigger,
                SelfCheck = request.SelfCheck ? "pass" : "not_run",
                FinalStateDigest = steps.LastOrDefault(r => r.StateDigest is not null)?.StateDigest,
                WeightsSha256 = at.Identity.WeightsSha256,
            }
        );
        Table<HostRow> hosts = new([Machine.Host(id)]);
        Table<DeviceRow> devices = new([Machine.DeviceRowOf(id, request.Device)]);
        folder.Store.Commit([run, hosts, devices, env], recorder.Metadata);
        folder.Close();
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
