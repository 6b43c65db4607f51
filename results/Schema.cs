namespace LutNative.Results;

/// <summary>
/// The types of columns. Floats that matter are stored twice: the value, and its bits as an unsigned integer.
/// </summary>
public enum ColumnType
{
    Int32,
    Int64,
    UInt32,
    Float32,
    Float64,
    Bool,
    Text,
    Blob,
    Timestamp,
}

/// <param name="Exact">
/// Part of exact comparison and of the content hash: depends on the protocol alone, never on machine or time.
/// </param>
/// <param name="Unit">Unit and meaning.</param>
/// <param name="Since">
/// The minor version that brought it. Later ones than the first are nullable: in an older file they read as null, which
/// means not recorded.
/// </param>
public sealed record Column(
    string Name,
    ColumnType Type,
    bool Exact,
    string Unit,
    bool Nullable = false,
    int Since = 0
);

/// <param name="Since">The minor version that brought the table.</param>
public sealed record TableSchema(string Name, IReadOnlyList<Column> Columns, int Since = 0)
{
    public int IndexOf(string column)
    {
        for (int i = 0; i < Columns.Count; i++)
            if (Columns[i].Name == column)
                return i;
        throw new ArgumentException($"table {Name} has no column {column}");
    }
}

/// <summary>
/// The tables of a run, of a benchmark (throughput) and of a comparison, schema 1.3. A new table or column is a new
/// minor version; renaming or changing a meaning is a new major version. SCHEMA.md is the same list for people;
/// tests/fixtures/schema holds each version's list and files.
/// </summary>
public static class Schema
{
    public const int Major = 1;
    public const int Minor = 3;

    private static Column C(string name, ColumnType type, string unit, bool exact = false, bool nullable = false) =>
        new(name, type, exact, unit, nullable);

    /// <summary>A column that came later: null in older files.</summary>
    private static Column New(int since, string name, ColumnType type, string unit, bool exact = false) =>
        new(name, type, exact, unit, true, since);

    public static TableSchema Run { get; } =
        new(
            "run",
            [
                C("run_id", ColumnType.Text, "UUIDv7"),
                C("protocol", ColumnType.Text, "name@version, +modified after overrides", true),
                C("protocol_modified", ColumnType.Bool, "an override changed a value", true),
                C("stages", ColumnType.Text, "what was run, comma separated", true),
                C("status", ColumnType.Text, "success or failed"),
                C("exit_code", ColumnType.Int32, "of the process"),
                C("started_utc", ColumnType.Timestamp, "UTC"),
                C("ended_utc", ColumnType.Timestamp, "UTC"),
                C("wall_ns", ColumnType.Int64, "ns, of this process"),
                C("seed", ColumnType.Int64, "", true),
                C("contract", ColumnType.Text, "numerics contract, or level of math, device and libraries", true),
                C("math_hash", ColumnType.Text, "SHA-256 of every value that can change a bit", true),
                C("data_hash", ColumnType.Text, "SHA-256 of the images and labels", true),
                C("exec_hash", ColumnType.Text, "SHA-256 of what must not change a bit"),
                C("code_id", ColumnType.Text, "build"),
                C("lut_version", ColumnType.Text, ""),
                C("determinism_level", ColumnType.Text, "bitwise-cross-device, or bitwise-same-device-and-libraries"),
                C("device", ColumnType.Text, "cpu-512, ..."),
                C("threads", ColumnType.Int32, ""),
                C("micro_batch", ColumnType.Int32, "samples, 0 = a grain"),
                C("data_workers", ColumnType.Int32, ""),
                C("resume_count", ColumnType.Int32, ""),
                C("n_steps", ColumnType.Int64, "all stages", true),
                C("images_seen", ColumnType.Int64, "", true),
                C("config_toml", ColumnType.Blob, "the resolved protocol, UTF-8"),
                C(
                    "argv",
                    ColumnType.Blob,
                    "the command line; paths outside of the working directory by their last component, UTF-8"
                ),
                New(2, "env_hash", ColumnType.Text, "SHA-256 of the env table's names, versions and hashes"),
                New(
                    2,
                    "hw_key",
                    ColumnType.Text,
                    "what histories of speed are kept by: processor or GPU, cores, vectors"
                ),
                New(2, "git_sha", ColumnType.Text, "commit of the build"),
                New(2, "trigger", ColumnType.Text, "manual, ci, nightly, slurm, k8s"),
                New(2, "self_check", ColumnType.Text, "pass, not_run"),
                New(2, "final_state_digest", ColumnType.Blob, "16 bytes: the last state that was digested"),
                New(
                    3,
                    "weights_sha256",
                    ColumnType.Text,
                    "SHA-256 of the weights from outside that the run began with, as loaded: of each tensor in the layout's order its name, shape and little-endian bits; of the encoder's alone where nothing else is used. Null: none",
                    true
                ),
            ]
        );

    public static TableSchema Hosts { get; } =
        new(
            "hosts",
            [
                C("run_id", ColumnType.Text, ""),
                C("os", ColumnType.Text, ""),
                C("arch", ColumnType.Text, ""),
                C("cpu_model", ColumnType.Text, ""),
                C("cpu_isa", ColumnType.Text, "what this process uses"),
                C("cores", ColumnType.Int32, "visible to the process"),
                C("ram_bytes", ColumnType.Int64, ""),
                C("dotnet_runtime", ColumnType.Text, ""),
                C("gc_mode", ColumnType.Text, ""),
                C(
                    "env_vars",
                    ColumnType.Blob,
                    "settings that can change execution, a list of names; other DOTNET_* and COMPlus_* by name alone, UTF-8"
                ),
                New(
                    2,
                    "host_hash",
                    ColumnType.Text,
                    "8 bytes of the SHA-256 of the host's name; NULL since 1.3: a name can be guessed from its hash"
                ),
                New(
                    2,
                    "rid",
                    ColumnType.Text,
                    "of the runtime: system, libc and architecture, linux-x64, linux-musl-x64, ..."
                ),
                New(2, "governor", ColumnType.Text, "of the first core's clock"),
                New(2, "container", ColumnType.Text, "docker, podman, kubernetes, or none seen"),
                New(2, "load1_before", ColumnType.Float64, "the system's load when the process started"),
                New(2, "load1_after", ColumnType.Float64, "at the end"),
            ]
        );

    /// <summary>What computed. New in 1.2.</summary>
    public static TableSchema Devices { get; } =
        new(
            "devices",
            [
                C("run_id", ColumnType.Text, ""),
                C("device_index", ColumnType.Int32, "from 0"),
                C("kind", ColumnType.Text, "cpu, cuda, emulated"),
                C("name", ColumnType.Text, "CPU model, or the GPU's name"),
                C("device", ColumnType.Text, "cpu-512, cuda:0, ..."),
                C("units", ColumnType.Int32, "cores, or multiprocessors"),
                C("mem_bytes", ColumnType.Int64, "that tensors may take"),
                C("compute_capability", ColumnType.Text, "of a GPU, 90 for 9.0", nullable: true),
                C("driver", ColumnType.Text, "", nullable: true),
                C("uuid_hash", ColumnType.Text, "8 bytes of the SHA-256 of the GPU's UUID", nullable: true),
                C("power_limit_w", ColumnType.Float64, "W", nullable: true),
                C("clock_max_mhz", ColumnType.Float64, "MHz", nullable: true),
            ],
            2
        );

    public static TableSchema Env { get; } =
        new(
            "env",
            [
                C("run_id", ColumnType.Text, ""),
                C("kind", ColumnType.Text, "assembly, library of NVIDIA's, or kernel (PTX)"),
                C("name", ColumnType.Text, ""),
                C("version", ColumnType.Text, "of a library: its path"),
                C("sha256", ColumnType.Text, "of the file that was loaded", nullable: true),
            ]
        );

    public static TableSchema Events { get; } =
        new(
            "events",
            [
                C("run_id", ColumnType.Text, ""),
                C("t_ns", ColumnType.Int64, "since the process started"),
                C("key", ColumnType.Text, "run_start, stage_start, checkpoint, ..."),
                C("stage", ColumnType.Text, ""),
                C("step", ColumnType.Int64, "", nullable: true),
                C("value", ColumnType.Text, ""),
            ]
        );

    public static TableSchema Steps { get; } =
        new(
            "steps",
            [
                C("run_id", ColumnType.Text, ""),
                C("stage", ColumnType.Text, "pretrain, finetune, scratch", true),
                C("step", ColumnType.Int64, "from 0", true),
                C("epoch", ColumnType.Int32, "from 0", true),
                C("images_seen", ColumnType.Int64, "after the step", true),
                C("lr", ColumnType.Float64, "before lr_scale"),
                C("lr_bits", ColumnType.Int64, "bits of lr", true),
                C("loss", ColumnType.Float32, ""),
                C("loss_bits", ColumnType.UInt32, "", true),
                C("loss_recon", ColumnType.Float32, "L_MIM", nullable: true),
                C("loss_recon_bits", ColumnType.UInt32, "", true, true),
                C("loss_context", ColumnType.Float32, "L_BC", nullable: true),
                C("loss_context_bits", ColumnType.UInt32, "", true, true),
                C("grad_norm", ColumnType.Float32, "before clipping"),
                C("grad_norm_bits", ColumnType.UInt32, "", true),
                C("batch_ids_digest", ColumnType.Blob, "16 bytes: which samples, in order", true),
                C(
                    "state_digest",
                    ColumnType.Blob,
                    "16 bytes: the whole state after the step, every digest_every steps",
                    true,
                    true
                ),
                C("step_ns", ColumnType.Int64, "ns"),
                C("data_ns", ColumnType.Int64, "ns waited for data"),
                New(
                    2,
                    "views_digest",
                    ColumnType.Blob,
                    "16 bytes: the step's pixels after augmentation, when the state is digested",
                    true
                ),
                New(2, "mask_digest", ColumnType.Blob, "16 bytes: the keys that its masks are drawn by", true),
            ]
        );

    public static TableSchema Digests { get; } =
        new(
            "digests",
            [
                C("run_id", ColumnType.Text, ""),
                C("stage", ColumnType.Text, "", true),
                C("step", ColumnType.Int64, "", true),
                C("ordinal", ColumnType.Int32, "order in the state", true),
                C("tensor", ColumnType.Text, "student/..., exp_avg/..., exp_avg_sq/..., teacher/...", true),
                C("shape", ColumnType.Text, "", true),
                C("digest", ColumnType.Blob, "16 bytes", true),
            ]
        );

    public static TableSchema Evals { get; } =
        new(
            "evals",
            [
                C("run_id", ColumnType.Text, ""),
                C(
                    "metric",
                    ColumnType.Text,
                    "knn_top1, probe_top1, linprobe_top1, finetune_top1, scratch_top1, raw_*; *_top5 from 100 classes on",
                    true
                ),
                C("split", ColumnType.Text, "", true),
                C("correct", ColumnType.Int64, "images", true),
                C("n", ColumnType.Int64, "images", true),
                C("value", ColumnType.Float64, "percent = 100 correct/n"),
                C("predictions_digest", ColumnType.Blob, "16 bytes", true),
                C("wall_ns", ColumnType.Int64, "ns"),
            ]
        );

    public static TableSchema Predictions { get; } =
        new(
            "predictions",
            [
                C("run_id", ColumnType.Text, ""),
                C("metric", ColumnType.Text, "", true),
                C("sample_index", ColumnType.Int32, "in the test file", true),
                C("label", ColumnType.Int32, "", true),
                C("top1", ColumnType.Int32, "", true),
                C("margin", ColumnType.Float32, "winner's lead"),
                C("margin_bits", ColumnType.UInt32, "", true),
            ]
        );

    /// <summary>
    /// A row for each checkpoint, committed before the checkpoint has its name: one that has no row, or other bytes, is
    /// not what the run wrote. New in 1.3.
    /// </summary>
    public static TableSchema Checkpoints { get; } =
        new(
            "checkpoints",
            [
                C("run_id", ColumnType.Text, ""),
                C("stage", ColumnType.Text, ""),
                C("step", ColumnType.Int64, "the next to run"),
                C("part", ColumnType.Int32, "of the tables, the last one that the checkpoint knows"),
                C("file", ColumnType.Text, "in the folder checkpoints; older ones are removed as newer ones are made"),
                C("bytes", ColumnType.Int64, "of the file"),
                C("sha256", ColumnType.Text, "of the file"),
            ],
            3
        );

    /// <summary>
    /// One block of whole steps that `lut bench` measured. Blocks of one launch share a process. New in 1.1.
    /// </summary>
    public static TableSchema Throughput { get; } =
        new(
            "throughput",
            [
                C("run_id", ColumnType.Text, "UUIDv7 of the benchmark"),
                C("at_utc", ColumnType.Timestamp, "UTC, when it was recorded"),
                C("shape", ColumnType.Text, "of `lut bench`, or a protocol", true),
                C("stage", ColumnType.Text, "pretrain, finetune", true),
                C("method", ColumnType.Text, "lut, mae", true),
                C("batch", ColumnType.Int32, "samples of a step", true),
                C("contract", ColumnType.Text, "numerics contract, or level of math, device and libraries", true),
                C("device", ColumnType.Text, "cpu-512, cuda:0, ..."),
                C("machine", ColumnType.Text, "CPU model, or the GPU's name"),
                C("threads", ColumnType.Int32, ""),
                C("launch", ColumnType.Int32, "fresh process, from 0"),
                C("block", ColumnType.Int32, "of a launch, from 0"),
                C("images_per_second", ColumnType.Float64, ""),
                C("flops_per_image", ColumnType.Float64, "of matrix products, two a multiply-add"),
                C(
                    "fma_flops",
                    ColumnType.Float64,
                    "FLOP/s: the machine's multiply-add limit, measured before the block"
                ),
                C("joules_per_image", ColumnType.Float64, "J of the GPU, mean of the launch", nullable: true),
                C("n_steps", ColumnType.Int64, "of the launch"),
                C(
                    "state_digest",
                    ColumnType.Text,
                    "of the student after the launch's steps: equal work has equal digests"
                ),
                C("lut_version", ColumnType.Text, ""),
                New(2, "step_ns_p50", ColumnType.Int64, "ns of a step: median of the block"),
                New(2, "step_ns_p90", ColumnType.Int64, "ns"),
                New(2, "step_ns_p99", ColumnType.Int64, "ns"),
                New(2, "step_ns_max", ColumnType.Int64, "ns"),
                New(2, "data_wait", ColumnType.Float64, "share of the block that steps waited for data"),
                New(2, "peak_flops", ColumnType.Float64, "FLOP/s: MFU's denominator"),
                New(2, "peak_source", ColumnType.Text, "a data sheet, or measured"),
                New(2, "other_load", ColumnType.Float64, "cores that other processes kept busy during the block"),
                New(2, "clock_mhz", ColumnType.Float64, "at the block's end"),
                New(2, "slowdown", ColumnType.Text, "what held clocks down, comma separated"),
                New(2, "warmup_steps", ColumnType.Int64, "before the first block"),
                New(2, "hw_key", ColumnType.Text, "what histories of speed are kept by"),
                New(
                    2,
                    "check_digest",
                    ColumnType.Text,
                    "of the student after the first three steps: equal on every machine and in every build of the contract"
                ),
            ],
            1
        );

    /// <summary>The state of host and device while a run goes on, at most once a second. New in 1.2.</summary>
    public static TableSchema Telemetry { get; } =
        new(
            "telemetry",
            [
                C("run_id", ColumnType.Text, ""),
                C("device_index", ColumnType.Int32, ""),
                C("t_ns", ColumnType.Int64, "since the process started"),
                C("load1", ColumnType.Float64, "of the system", nullable: true),
                C("rss_bytes", ColumnType.Int64, "of this process"),
                C("clock_mhz", ColumnType.Float64, "of the device", nullable: true),
                C("power_w", ColumnType.Float64, "W", nullable: true),
                C("energy_j", ColumnType.Float64, "J, a counter: differences count", nullable: true),
                C("temp_c", ColumnType.Float64, "", nullable: true),
                C("slowdown", ColumnType.Text, "what holds clocks down", nullable: true),
            ],
            2
        );

    /// <summary>
    /// Every operation of one step, in order, that `lut trace` or `--trace-step` recorded. New in 1.2.
    /// </summary>
    public static TableSchema Operations { get; } =
        new(
            "operations",
            [
                C("run_id", ColumnType.Text, ""),
                C("stage", ColumnType.Text, "", true),
                C("step", ColumnType.Int64, "", true),
                C("ordinal", ColumnType.Int32, "order of execution on one thread, grain by grain", true),
                C("phase", ColumnType.Text, "forward, backward, optimizer", true),
                C("op", ColumnType.Text, "of the device: GemmNt, AdamW, ...", true),
                C(
                    "tensor",
                    ColumnType.Text,
                    "the parameter it reads or makes the gradient of, or the last one before",
                    true
                ),
                C("output", ColumnType.Text, "which of its outputs", true),
                C("shape", ColumnType.Text, "", true),
                C("digest", ColumnType.Blob, "16 bytes", true),
                C("nan", ColumnType.Int64, "elements", true),
                C("inf", ColumnType.Int64, "elements", true),
                C("zero", ColumnType.Int64, "elements", true),
                C("subnormal", ColumnType.Int64, "elements", true),
            ],
            2
        );

    /// <summary>What `compare` and `nightly` found, a row a question. New in 1.2.</summary>
    public static TableSchema Comparisons { get; } =
        new(
            "comparisons",
            [
                C("run_id", ColumnType.Text, "UUIDv7 of the comparison"),
                C("at_utc", ColumnType.Timestamp, "UTC"),
                C("kind", ColumnType.Text, "exact, smoke, perf"),
                C("key", ColumnType.Text, "protocol, or shape and stage"),
                C("a", ColumnType.Text, "the older or reference side"),
                C("b", ColumnType.Text, ""),
                C("hw_key", ColumnType.Text, ""),
                C("verdict", ColumnType.Text, "IDENTICAL, SAME, SLOWER, ..."),
                C("value_a", ColumnType.Float64, "images/s or percent", nullable: true),
                C("value_b", ColumnType.Float64, "", nullable: true),
                C("ratio", ColumnType.Float64, "B over A", nullable: true),
                C("low", ColumnType.Float64, "95 % interval of the ratio", nullable: true),
                C("high", ColumnType.Float64, "", nullable: true),
                C("p", ColumnType.Float64, "after Holm's correction", nullable: true),
                C("band", ColumnType.Float64, "what counts as noise", nullable: true),
                C("reason", ColumnType.Blob, "UTF-8"),
                C("git_sha", ColumnType.Text, "commit of B"),
                C("method_version", ColumnType.Int32, "of the statistics"),
            ],
            2
        );

    /// <summary>What `lut analyze` measured of a trained encoder. New in 1.2.</summary>
    public static TableSchema Analysis { get; } =
        new(
            "analysis",
            [
                C("run_id", ColumnType.Text, ""),
                C(
                    "kind",
                    ColumnType.Text,
                    "attention_distance, uniform_distance, image_singular_value, token_singular_value",
                    true
                ),
                C("layer", ColumnType.Int32, "block, from 0; the depth: after the final norm", true),
                C("index", ColumnType.Int32, "head, or rank of the singular value, from 0", true),
                C("value", ColumnType.Float64, "pixels, or log of the singular value", false),
                C("images", ColumnType.Int32, "that it is a mean over", true),
            ],
            2
        );

    public static IReadOnlyList<TableSchema> All { get; } =
    [
        Run,
        Hosts,
        Devices,
        Env,
        Events,
        Steps,
        Digests,
        Operations,
        Evals,
        Predictions,
        Checkpoints,
        Throughput,
        Telemetry,
        Comparisons,
        Analysis,
    ];

    /// <summary>
    /// The contract of a minor version as lines of text: "steps.loss_bits UInt32 exact". What a golden file in the
    /// tests holds.
    /// </summary>
    public static IEnumerable<string> Lines(int minor) =>
        from t in All
        where t.Since <= minor
        from c in t.Columns
        where c.Since <= minor
        select $"{t.Name}.{c.Name} {c.Type}{(c.Exact ? " exact" : "")}{(c.Nullable ? " nullable" : "")}";
}
