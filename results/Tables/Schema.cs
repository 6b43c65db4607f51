namespace LutNative.Results;

/// <summary>
/// The tables of a run, of a benchmark (throughput) and of a comparison, schema 1.3: each is a record, whose properties
/// are its columns. A new table or column is a new minor version; renaming or changing a meaning is a new major
/// version. SCHEMA.md is the same list for people; tests/fixtures/schema holds each version's list and files.
/// </summary>
public static class Schema
{
    public const int Major = 1;
    public const int Minor = 3;

    public static TableSchema<RunRow> Run => TableSchema<RunRow>.Instance;
    public static TableSchema<HostRow> Hosts => TableSchema<HostRow>.Instance;
    public static TableSchema<DeviceRow> Devices => TableSchema<DeviceRow>.Instance;
    public static TableSchema<EnvRow> Env => TableSchema<EnvRow>.Instance;
    public static TableSchema<EventRow> Events => TableSchema<EventRow>.Instance;
    public static TableSchema<StepRow> Steps => TableSchema<StepRow>.Instance;
    public static TableSchema<DigestRow> Digests => TableSchema<DigestRow>.Instance;
    public static TableSchema<OperationRow> Operations => TableSchema<OperationRow>.Instance;
    public static TableSchema<EvalRow> Evals => TableSchema<EvalRow>.Instance;
    public static TableSchema<PredictionRow> Predictions => TableSchema<PredictionRow>.Instance;
    public static TableSchema<CheckpointRow> Checkpoints => TableSchema<CheckpointRow>.Instance;
    public static TableSchema<ThroughputRow> Throughput => TableSchema<ThroughputRow>.Instance;
    public static TableSchema<TelemetryRow> Telemetry => TableSchema<TelemetryRow>.Instance;
    public static TableSchema<ComparisonRow> Comparisons => TableSchema<ComparisonRow>.Instance;
    public static TableSchema<AnalysisRow> Analysis => TableSchema<AnalysisRow>.Instance;

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
