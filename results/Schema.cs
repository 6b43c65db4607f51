namespace LutNative.Results;

/// <summary>The types of columns. Floats that matter are stored twice: the value, and its bits as an unsigned integer.</summary>
public enum ColumnType { Int32, Int64, UInt32, Float32, Float64, Bool, Text, Blob, Timestamp }

/// <param name="Exact">Part of exact comparison and of the content hash: depends on the protocol alone, never on machine or time.</param>
/// <param name="Unit">Unit and meaning.</param>
public sealed record Column(string Name, ColumnType Type, bool Exact, string Unit, bool Nullable = false);

public sealed record TableSchema(string Name, IReadOnlyList<Column> Columns)
{
    public int IndexOf(string column)
    {
        for (int i = 0; i < Columns.Count; i++)
            if (Columns[i].Name == column) return i;
        throw new ArgumentException($"table {Name} has no column {column}");
    }
}

/// <summary>
/// The tables of a run, and of a benchmark (throughput), schema 1.1. A new column is a new minor version; renaming or changing a meaning is a new major version.
/// SCHEMA.md is the same list for people.
/// </summary>
public static class Schema
{
    public const int Major = 1, Minor = 1;

    private static Column C(string name, ColumnType type, string unit, bool exact = false, bool nullable = false) => new(name, type, exact, unit, nullable);

    public static TableSchema Run { get; } = new("run",
    [
        C("run_id", ColumnType.Text, "UUIDv7"), C("protocol", ColumnType.Text, "name@version, +modified after overrides", true),
        C("protocol_modified", ColumnType.Bool, "an override changed a value", true), C("stages", ColumnType.Text, "what was run, comma separated", true),
        C("status", ColumnType.Text, "success or failed"), C("exit_code", ColumnType.Int32, "of the process"),
        C("started_utc", ColumnType.Timestamp, "UTC"), C("ended_utc", ColumnType.Timestamp, "UTC"), C("wall_ns", ColumnType.Int64, "ns, of this process"),
        C("seed", ColumnType.Int64, "", true), C("contract", ColumnType.Text, "numerics contract, or level of math, device and libraries", true), C("math_hash", ColumnType.Text, "SHA-256 of every value that can change a bit", true),
        C("data_hash", ColumnType.Text, "SHA-256 of the images and labels", true), C("exec_hash", ColumnType.Text, "SHA-256 of what must not change a bit"),
        C("code_id", ColumnType.Text, "build"), C("lut_version", ColumnType.Text, ""), C("determinism_level", ColumnType.Text, "bitwise-cross-device, or bitwise-same-device-and-libraries"),
        C("device", ColumnType.Text, "cpu-512, ..."), C("threads", ColumnType.Int32, ""), C("micro_batch", ColumnType.Int32, "samples, 0 = a grain"), C("data_workers", ColumnType.Int32, ""),
        C("resume_count", ColumnType.Int32, ""), C("n_steps", ColumnType.Int64, "all stages", true), C("images_seen", ColumnType.Int64, "", true),
        C("config_toml", ColumnType.Blob, "the resolved protocol, UTF-8"), C("argv", ColumnType.Blob, "the command line, UTF-8"),
    ]);

    public static TableSchema Hosts { get; } = new("hosts",
    [
        C("run_id", ColumnType.Text, ""), C("os", ColumnType.Text, ""), C("arch", ColumnType.Text, ""), C("cpu_model", ColumnType.Text, ""), C("cpu_isa", ColumnType.Text, "what this process uses"),
        C("cores", ColumnType.Int32, "visible to the process"), C("ram_bytes", ColumnType.Int64, ""), C("dotnet_runtime", ColumnType.Text, ""),
        C("gc_mode", ColumnType.Text, ""), C("env_vars", ColumnType.Blob, "DOTNET_* and LC_*, UTF-8"),
    ]);

    public static TableSchema Env { get; } = new("env",
    [
        C("run_id", ColumnType.Text, ""), C("kind", ColumnType.Text, "assembly, or library of NVIDIA's"), C("name", ColumnType.Text, ""), C("version", ColumnType.Text, "of a library: its path"),
        C("sha256", ColumnType.Text, "of the file that was loaded", nullable: true),
    ]);

    public static TableSchema Events { get; } = new("events",
    [
        C("run_id", ColumnType.Text, ""), C("t_ns", ColumnType.Int64, "since the process started"), C("key", ColumnType.Text, "run_start, stage_start, checkpoint, ..."),
        C("stage", ColumnType.Text, ""), C("step", ColumnType.Int64, "", nullable: true), C("value", ColumnType.Text, ""),
    ]);

    public static TableSchema Steps { get; } = new("steps",
    [
        C("run_id", ColumnType.Text, ""), C("stage", ColumnType.Text, "pretrain, finetune, scratch", true), C("step", ColumnType.Int64, "from 0", true), C("epoch", ColumnType.Int32, "from 0", true),
        C("images_seen", ColumnType.Int64, "after the step", true), C("lr", ColumnType.Float64, "before lr_scale"), C("lr_bits", ColumnType.Int64, "bits of lr", true),
        C("loss", ColumnType.Float32, ""), C("loss_bits", ColumnType.UInt32, "", true), C("loss_recon", ColumnType.Float32, "L_MIM", nullable: true), C("loss_recon_bits", ColumnType.UInt32, "", true, true),
        C("loss_context", ColumnType.Float32, "L_BC", nullable: true), C("loss_context_bits", ColumnType.UInt32, "", true, true),
        C("grad_norm", ColumnType.Float32, "before clipping"), C("grad_norm_bits", ColumnType.UInt32, "", true),
        C("batch_ids_digest", ColumnType.Blob, "16 bytes: which samples, in order", true), C("state_digest", ColumnType.Blob, "16 bytes: the whole state after the step, every digest_every steps", true, true),
        C("step_ns", ColumnType.Int64, "ns"), C("data_ns", ColumnType.Int64, "ns waited for data"),
    ]);

    public static TableSchema Digests { get; } = new("digests",
    [
        C("run_id", ColumnType.Text, ""), C("stage", ColumnType.Text, "", true), C("step", ColumnType.Int64, "", true), C("ordinal", ColumnType.Int32, "order in the state", true),
        C("tensor", ColumnType.Text, "student/..., exp_avg/..., exp_avg_sq/..., teacher/...", true), C("shape", ColumnType.Text, "", true), C("digest", ColumnType.Blob, "16 bytes", true),
    ]);

    public static TableSchema Evals { get; } = new("evals",
    [
        C("run_id", ColumnType.Text, ""), C("metric", ColumnType.Text, "knn_top1, probe_top1, linprobe_top1, finetune_top1, scratch_top1, raw_*; *_top5 from 100 classes on", true), C("split", ColumnType.Text, "", true),
        C("correct", ColumnType.Int64, "images", true), C("n", ColumnType.Int64, "images", true), C("value", ColumnType.Float64, "percent = 100 correct/n"),
        C("predictions_digest", ColumnType.Blob, "16 bytes", true), C("wall_ns", ColumnType.Int64, "ns"),
    ]);

    public static TableSchema Predictions { get; } = new("predictions",
    [
        C("run_id", ColumnType.Text, ""), C("metric", ColumnType.Text, "", true), C("sample_index", ColumnType.Int32, "in the test file", true), C("label", ColumnType.Int32, "", true),
        C("top1", ColumnType.Int32, "", true), C("margin", ColumnType.Float32, "winner's lead"), C("margin_bits", ColumnType.UInt32, "", true),
    ]);

    /// <summary>One block of whole steps that `lut bench` measured. Blocks of one launch share a process. New in 1.1.</summary>
    public static TableSchema Throughput { get; } = new("throughput",
    [
        C("run_id", ColumnType.Text, "UUIDv7 of the benchmark"), C("at_utc", ColumnType.Timestamp, "UTC, when it was recorded"), C("shape", ColumnType.Text, "of `lut bench`, or a protocol", true),
        C("stage", ColumnType.Text, "pretrain, finetune", true), C("method", ColumnType.Text, "lut, mae", true), C("batch", ColumnType.Int32, "samples of a step", true),
        C("contract", ColumnType.Text, "numerics contract, or level of math, device and libraries", true), C("device", ColumnType.Text, "cpu-512, cuda:0, ..."), C("machine", ColumnType.Text, "CPU model, or the GPU's name"), C("threads", ColumnType.Int32, ""),
        C("launch", ColumnType.Int32, "fresh process, from 0"), C("block", ColumnType.Int32, "of a launch, from 0"), C("images_per_second", ColumnType.Float64, ""), C("flops_per_image", ColumnType.Float64, "of matrix products, two a multiply-add"),
        C("fma_flops", ColumnType.Float64, "FLOP/s: the machine's multiply-add limit, measured before the block"), C("joules_per_image", ColumnType.Float64, "J of the GPU, mean of the launch", nullable: true),
        C("n_steps", ColumnType.Int64, "of the launch"), C("state_digest", ColumnType.Text, "of the student after the launch's steps: equal work has equal digests"), C("lut_version", ColumnType.Text, ""),
    ]);

    public static IReadOnlyList<TableSchema> All { get; } = [Run, Hosts, Env, Events, Steps, Digests, Evals, Predictions, Throughput];
}
