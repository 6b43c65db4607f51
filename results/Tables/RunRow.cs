namespace LutNative.Results;

/// <summary>
/// The run itself, one row, written when it has ended. Until the next major schema three columns cannot vary, since
/// a run that fails writes no row: status is "success", exit_code 0, and code_id equals lut_version.
/// </summary>
[Table("run", OneRow = true)]
public sealed record RunRow : IRow
{
    [Column("UUIDv7")]
    public required RunId RunId { get; init; }

    [Column("name@version, +modified after overrides", Exact = true)]
    public required string Protocol { get; init; }

    [Column("an override changed a value", Exact = true)]
    public required bool ProtocolModified { get; init; }

    [Column("what was run, comma separated", Exact = true)]
    public required string Stages { get; init; }

    [Column("success or failed")]
    public required string Status { get; init; }

    [Column("of the process")]
    public required int ExitCode { get; init; }

    [Column("UTC")]
    public required DateTime StartedUtc { get; init; }

    [Column("UTC")]
    public required DateTime EndedUtc { get; init; }

    [Column("ns, of this process")]
    public required long WallNs { get; init; }

    [Column(Exact = true)]
    public required long Seed { get; init; }

    [Column("numerics contract, or level of math, device and libraries", Exact = true)]
    public required string Contract { get; init; }

    [Column("SHA-256 of every value that can change a bit", Exact = true)]
    public required string MathHash { get; init; }

    [Column("SHA-256 of the images and labels", Exact = true)]
    public required string DataHash { get; init; }

    [Column("SHA-256 of what must not change a bit")]
    public required string ExecHash { get; init; }

    [Column("build")]
    public required string CodeId { get; init; }

    [Column]
    public required string LutVersion { get; init; }

    [Column("bitwise-cross-device, or bitwise-same-device-and-libraries")]
    public required string DeterminismLevel { get; init; }

    [Column("cpu-512, ...")]
    public required string Device { get; init; }

    [Column]
    public required int Threads { get; init; }

    [Column("samples, 0 = a grain")]
    public required int MicroBatch { get; init; }

    [Column]
    public required int DataWorkers { get; init; }

    [Column]
    public required int ResumeCount { get; init; }

    [Column("all stages", Exact = true)]
    public required long NSteps { get; init; }

    [Column(Exact = true)]
    public required long ImagesSeen { get; init; }

    [Column("the resolved protocol, UTF-8")]
    public required byte[] ConfigToml { get; init; }

    [Column("the command line; paths outside of the working directory by their last component, UTF-8")]
    public required byte[] Argv { get; init; }

    [Column("SHA-256 of the env table's names, versions and hashes", Since = 2)]
    public required string? EnvHash { get; init; }

    [Column("what histories of speed are kept by: processor or GPU, cores, vectors", Since = 2)]
    public required string? HwKey { get; init; }

    [Column("commit of the build", Since = 2)]
    public required string? GitSha { get; init; }

    [Column("manual, ci, nightly, slurm, k8s", Since = 2)]
    public required string? Trigger { get; init; }

    [Column("pass, not_run", Since = 2)]
    public required string? SelfCheck { get; init; }

    [Column("16 bytes: the last state that was digested", Since = 2)]
    public required DigestBytes? FinalStateDigest { get; init; }

    [Column(
        "SHA-256 of the weights from outside that the run began with, as loaded: of each tensor in the "
            + "layout's order its name, shape and little-endian bits; of the encoder's alone where nothing "
            + "else is used. Null: none",
        Exact = true,
        Since = 3
    )]
    public required string? WeightsSha256 { get; init; }
}
