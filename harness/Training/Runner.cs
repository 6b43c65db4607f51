using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using LutNative.Harness.Data;
using LutNative.Harness.Evaluation;
using LutNative.Harness.Protocol;
using LutNative.Harness.Reports;
using LutNative.Harness.Surroundings;
using LutNative.Interop;
using LutNative.Model.Checkpoints;
using LutNative.Model.Devices;
using LutNative.Model.Tensors;
using LutNative.Results;

namespace LutNative.Harness.Training;

/// <summary>One run of a protocol, or of some of its stages.</summary>
/// <param name="Stages">Of pretrain, knn, probe, finetune, scratch, raw.</param>
/// <param name="Checkpoint">Pre-trained weights to use instead of running pretrain.</param>
/// <param name="Which">Which set of weights of a foreign checkpoint; "" for the student's.</param>
/// <param name="SelfCheck">Run the first steps twice in different ways before anything else.</param>
/// <param name="ResumeFolder">The interrupted run to go on with.</param>
public sealed record RunRequest(ResolvedProtocol Protocol, ExecOptions Exec, Device Device, string Output, string? ResumeFolder, string? DataFolder,
    IReadOnlyList<string> Stages, string? Checkpoint, bool Quiet, string[] Argv, string Which = "", bool SelfCheck = false)
{
    public static IReadOnlyList<string> AllStages { get; } = ["pretrain", "knn", "probe", "linprobe", "finetune", "scratch", "raw"];

    /// <summary>The stages that this protocol has, of those that were asked for.</summary>
    public IReadOnlyList<string> Planned { get; } = [.. Stages.Where(s => s != "linprobe" || Protocol.Spec.Linprobe is not null)];
}

/// <summary>Runs stages in order, each from where the newest checkpoint left it, and closes the run's folder.</summary>
public sealed class Runner
{
    private readonly RunRequest request;
    private readonly ProtocolSpec p;
    private readonly Progress progress;
    private readonly Pool pool, hostPool;
    private readonly Device hostDevice;
    private readonly ImageSource trainSet, testSet;
    private readonly Views train, test;
    private readonly RunStore store;
    private readonly CheckpointStore checkpoints;
    private readonly Recorder recorder;
    private readonly Dictionary<string, string> metadata;
    private readonly CheckpointPlace? place;
    private readonly HashSet<string> known;
    private readonly DateTime startedUtc = DateTime.UtcNow;
    private readonly long started = Stopwatch.GetTimestamp();
    private readonly string runId, dataHash;
    private readonly int resumeCount;
    private readonly Nvml? nvml;
    private readonly CancellationToken stop;

    private Runner(RunRequest request, CancellationToken stop)
    {
        (this.request, this.stop, p) = (request, stop, request.Protocol.Spec);
        progress = new Progress(request.Quiet);
        (trainSet, testSet) = DataSets.Load(p.Data, request.DataFolder, progress.Say);
        (train, test) = (new Views(p, trainSet), new Views(p, testSet));
        dataHash = Hash($"{trainSet.Sha256} {trainSet.Count} {testSet.Sha256} {testSet.Count}");
        pool = new Pool(Math.Min(request.Exec.Threads, request.Device.MostThreads));
        // neighbours and linear probes are small beside training: where the device is not the host's, the CPU computes them, with the same bits
        (hostDevice, hostPool) = request.Device.OnHost ? (request.Device, pool) : (Cpu.Best(), new Pool(request.Exec.Threads));
        runId = Guid.CreateVersion7().ToString();
        string folder = request.ResumeFolder ?? Path.Combine(request.Output, FormattableString.Invariant($"{request.Protocol.Name}_s{p.Seed}_{runId[^8..]}"));
        store = RunStore.Create(folder);
        if (store.IsComplete) throw new LutError(Exit.Usage, 10, "the run is already complete", folder, "a finished run never changes", "start a new one without --resume");
        checkpoints = new CheckpointStore(folder, request.Protocol.MathHash, request.Protocol.Name);
        Interruption.CheckpointsAre(checkpoints.Folder);
        place = checkpoints.Newest(text => progress.Say("warning: " + text));
        store.DropPartsAfter(place?.Part ?? -1);
        known = [.. store.Read(Schema.Evals).Rows.Select(r => (string)r[Schema.Evals.IndexOf("metric")]!)];
        var events = store.Read(Schema.Events);
        if (events.Rows.Count > 0) runId = events.Get<string>(0, "run_id");
        resumeCount = events.Rows.Count(r => (string)r[Schema.Events.IndexOf("key")]! == "resume") + (request.ResumeFolder is null ? 0 : 1);
        metadata = new Dictionary<string, string> { ["lut.run_id"] = runId, ["lut.protocol"] = request.Protocol.Name, ["lut.math_hash"] = request.Protocol.MathHash, ["lut.data_hash"] = dataHash, ["lut.writer"] = "lut " + Version.Lut };
        nvml = request.Device is CudaDevice cuda ? Nvml.Open(cuda.Context, out _) : null;
        recorder = new Recorder(store, runId, metadata) { Gpu = nvml };
        recorder.Event(request.ResumeFolder is null ? "run_start" : "resume", place?.Stage ?? "", place?.Step, request.Protocol.Name);
        Write("config.resolved.toml", request.Protocol.Toml);
        Write("config.canonical.json", request.Protocol.CanonicalJson);
    }

    /// <summary>Returns the finished run's folder.</summary>
    public static RunStore Run(RunRequest request, CancellationToken stop)
    {
        var runner = new Runner(request, stop);
        using (runner.pool)
        using (runner.hostPool)
        using (runner.nvml)
        {
            runner.Say();
            runner.Stages();
            runner.Close();
            return runner.store;
        }
    }

    private void Say()
    {
        progress.Say(FormattableString.Invariant($"lut {Version.Lut} {request.Protocol.Name} seed {p.Seed} contract {request.Protocol.Level ?? p.Contract}"));
        progress.Say(FormattableString.Invariant($"machine {Machine.CpuModel}, {Machine.Isa}, device {request.Device.Name}, {request.Exec.Threads} threads"));
        progress.Say($"math_hash {request.Protocol.MathHash}");
        progress.Say($"run {store.Folder}");
        if (place is not null) progress.Say(FormattableString.Invariant($"resuming from {place.Stage} step {place.Step}"));
    }

    private void Stages()
    {
        if (request.SelfCheck)
        {
            string passed = SelfCheck.Run(p, train, request.Device, request.Exec);
            progress.Say(passed);
            recorder.Event("self_check", "pretrain", null, passed);
        }
        bool needsTrunk = request.Stages.Any(s => s is "pretrain" or "knn" or "probe" or "linprobe" or "finetune");
        using var pretrain = needsTrunk ? new PretrainTrainer(p, train, request.Device, pool, request.Exec) : null;
        if (pretrain is not null) Pretrain(pretrain);
        if (pretrain is not null) Probe(pretrain);
        if (pretrain is not null && request.Planned.Contains("linprobe") && !known.Contains("linprobe_top1")) Linprobe(pretrain);
        foreach (string stage in new[] { "finetune", "scratch" })
            if (request.Stages.Contains(stage) && !known.Contains(stage + "_top1") && (stage != "scratch" || p.Baselines.Scratch) && p.Finetune.Epochs > 0)
                Supervised(stage, stage == "finetune" ? pretrain!.Student : null);
        if (request.Stages.Contains("raw") && p.Baselines.RawPixels) Raw();
    }

    private void Pretrain(PretrainTrainer t)
    {
        if (request.Checkpoint is { } external)
        {
            External(external, t.Student);
            return;
        }
        Train(t);
        t.FreeStep();
        if (request.Stages.Contains("pretrain"))
            Reconstructions.Write(Path.Combine(store.Folder, "reconstructions.png"), p, t.Net, t.PackedStudent(), test, request.Device);
    }

    /// <summary>Weights from outside: a checkpoint of ours, or anybody's file with the authors' names. The encoder must be whole; a file without decoder or heads is what MAE publishes.</summary>
    private void External(string path, State student)
    {
        try
        {
            bool ours = path.EndsWith(".safetensors", StringComparison.Ordinal) && Safetensors.Read(path).Metadata.ContainsKey("lut.math_hash");
            if (ours) CheckpointFile.ReadChecked(path);
            var report = ForeignCheckpoint.Load(ForeignCheckpoint.Read(path, ours ? "" : request.Which), student, path);
            progress.Say(FormattableString.Invariant($"checkpoint {path}: {report.Loaded} tensors, {report.Missing.Count} missing{Names(report.Missing)}, {report.Unexpected.Count} not used{Names(report.Unexpected)}{(report.Interpolated.Count > 0 ? ", interpolated" + Names(report.Interpolated) : "")}"));
            string[] encoder = [.. report.Missing.Where(n => n is "cls_token" || n.StartsWith("patch_embed.", StringComparison.Ordinal) || n.StartsWith("blocks.", StringComparison.Ordinal) || n.StartsWith("norm.", StringComparison.Ordinal))];
            if (encoder.Length > 0) throw new CheckpointException($"{path} lacks {encoder.Length} tensors of the encoder{Names(encoder)}");
        }
        catch (CheckpointException e)
        {
            throw new LutError(Exit.Data, 20, "the checkpoint cannot be used", path, e.Message, "give pre-trained weights of this protocol's network: ours, .safetensors, .pth or .pt");
        }

        static string Names(IReadOnlyList<string> names) => names.Count == 0 ? "" : $" ({string.Join(", ", names.Take(4))}{(names.Count > 4 ? ", ..." : "")})";
    }

    private void Probe(PretrainTrainer t)
    {
        var wanted = new[] { "knn", "probe" }.Where(s => request.Stages.Contains(s) && !known.Contains(s + "_top1")).ToArray();
        if (wanted.Length == 0) return;
        using var arena = new Arena();
        progress.Say("stage=features");
        using var features = new Features(t.Net, t.PackedStudent(), request.Device, pool);
        Mat a = features.Encode(train, arena), b = features.Encode(test, arena);
        foreach (string s in wanted) Measure(() => s == "knn" ? Neighbours(a, b) : Linear(a, b));
    }

    private void Raw()
    {
        using var arena = new Arena();
        Mat a = Features.RawPixels((GrayImages)trainSet, arena), b = Features.RawPixels((GrayImages)testSet, arena);   // ProtocolRules allows no other
        if (!known.Contains("raw_knn_top1")) Measure(() => Neighbours(a, b) with { Metric = "raw_knn_top1" });
        if (!known.Contains("raw_probe_top1")) Measure(() => Linear(a, b) with { Metric = "raw_probe_top1" });
    }

    private EvalResult Neighbours(Mat a, Mat b) => Knn.Run(p.Knn, a, trainSet.Labels, b, testSet.Labels, p.Data.Classes, hostDevice, hostPool);

    private EvalResult Linear(Mat a, Mat b) => LinearProbe.Run(p.Probe, p.Seed, a, trainSet.Labels, b, testSet.Labels, p.Data.Classes, hostDevice, hostPool);

    private void Linprobe(PretrainTrainer pretrained)
    {
        using var features = new Features(pretrained.Net, pretrained.PackedStudent(), request.Device, pool, cls: p.Linprobe!.Token == "cls");
        using var t = new LinprobeTrainer(p, features, train, hostDevice, hostPool);
        Train(t);
        Measure(() => t.Evaluate(test));
    }

    private void Supervised(string stage, State? trunk)
    {
        using var t = new FinetuneTrainer(p, train, request.Device, pool, request.Exec, trunk);
        Train(t);
        Measure(() => Classify.Run(stage + "_top1", t.Net, t.Packed(), test, request.Device, pool));
    }

    /// <summary>From where the newest checkpoint left the stage.</summary>
    private void Train(Trainer t)
    {
        long from = 0;
        if (place is not null && CheckpointStore.Order(place.Stage) >= CheckpointStore.Order(t.Stage))
        {
            CheckpointStore.Load(place.Stage == t.Stage ? place.Path : checkpoints.PathOf(t.Stage, t.Steps), t);
            from = place.Stage == t.Stage ? place.Step : t.Steps;
        }
        if (from < t.Steps) TrainingLoop.Run(t, from, recorder, checkpoints, pool, request.Exec, progress, stop);
    }

    private void Measure(Func<EvalResult> run)
    {
        long before = Stopwatch.GetTimestamp();
        var result = run();
        recorder.Eval(result, (long)Stopwatch.GetElapsedTime(before).TotalNanoseconds);
        recorder.Event("eval", "", null, FormattableString.Invariant($"{result.Metric} {result.Correct}/{result.Labels.Length}"));
        progress.Say(FormattableString.Invariant($"eval={result.Metric} correct={result.Correct}/{result.Labels.Length} percent={result.Accuracy:f2}"));
        recorder.Commit();
        if (stop.IsCancellationRequested) throw new InterruptedException("stopped after an evaluation; the last checkpoint is on disk; go on with --resume auto");
    }

    private void Close()
    {
        recorder.Event("run_stop", "", null, "success");
        recorder.Commit();
        var steps = store.Read(Schema.Steps);
        Table run = new(Schema.Run), hosts = new(Schema.Hosts), env = new(Schema.Env), devices = new(Schema.Devices);
        Machine.AddHost(hosts, runId);
        Machine.AddDevice(devices, runId, request.Device);
        Machine.AddAssemblies(env, runId);
        Machine.AddLibraries(env, runId);
        Machine.AddKernels(env, runId);
        var e = request.Exec;
        long images = steps.Rows.GroupBy(r => (string)r[1]!).Aggregate(0L, (sum, g) => sum + g.Max(r => (long)r[Schema.Steps.IndexOf("images_seen")]!));
        run.Add(runId, request.Protocol.Name, request.Protocol.Modified, string.Join(",", request.Planned), "success", 0, startedUtc, DateTime.UtcNow, (long)Stopwatch.GetElapsedTime(started).TotalNanoseconds,
            p.Seed, request.Protocol.Level ?? p.Contract, request.Protocol.MathHash, dataHash, Hash(FormattableString.Invariant($"{request.Device.Name} {e.Threads} {e.MicroBatch} {e.DataWorkers} {e.Recompute}")), Version.Lut, Version.Lut, request.Protocol.Level is null ? "bitwise-cross-device" : "bitwise-same-device-and-libraries",
            request.Device.Name, e.Threads, e.MicroBatch, e.DataWorkers, resumeCount, (long)steps.Rows.Count, images, Encoding.UTF8.GetBytes(request.Protocol.Toml), Encoding.UTF8.GetBytes(string.Join(' ', request.Argv)),
            Hash(string.Join('\n', env.Rows.Select(r => $"{r[2]} {r[3]} {r[4]}"))), Machine.HardwareKey(request.Device), Machine.GitSha, Machine.Trigger, request.SelfCheck ? "pass" : "not_run",
            steps.Rows.Select(r => (byte[]?)r[Schema.Steps.IndexOf("state_digest")]).LastOrDefault(d => d is not null));
        store.Commit([run, hosts, devices, env], metadata);
        try
        {
            store.WriteManifest();
        }
        catch (Exception x) when (x is IOException or UnauthorizedAccessException)
        {
            throw new LutError(Exit.Store, 2, "cannot close the run", store.Folder, x.Message, "free some space and resume; every table is intact");
        }
    }

    private void Write(string name, string text)
    {
        try
        {
            File.WriteAllText(Path.Combine(store.Folder, name), text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LutError(Exit.Store, 3, $"cannot write {name}", store.Folder, e.Message, "free some space or choose another --output");
        }
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
