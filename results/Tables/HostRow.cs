namespace LutNative.Results;

/// <summary>The machine that ran it.</summary>
[Table("hosts")]
public sealed record HostRow : IRow
{
    [Column]
    public required RunId RunId { get; init; }

    [Column]
    public required string Os { get; init; }

    [Column]
    public required string Arch { get; init; }

    [Column]
    public required string CpuModel { get; init; }

    [Column("what this process uses")]
    public required string CpuIsa { get; init; }

    [Column("visible to the process")]
    public required int Cores { get; init; }

    [Column]
    public required long RamBytes { get; init; }

    [Column]
    public required string DotnetRuntime { get; init; }

    [Column]
    public required string GcMode { get; init; }

    [Column(
        "settings that can change execution, a list of names; other DOTNET_* and COMPlus_* by name " + "alone, UTF-8"
    )]
    public required byte[] EnvVars { get; init; }

    [Column(
        "8 bytes of the SHA-256 of the host's name; NULL since 1.3: a name can be guessed from its hash",
        Since = 2
    )]
    public required string? HostHash { get; init; }

    [Column("of the runtime: system, libc and architecture, linux-x64, linux-musl-x64, ...", Since = 2)]
    public required string? Rid { get; init; }

    [Column("of the first core's clock", Since = 2)]
    public required string? Governor { get; init; }

    [Column("docker, podman, kubernetes, or none seen", Since = 2)]
    public required string? Container { get; init; }

    [Column("the system's load when the process started", Since = 2)]
    public required double? Load1Before { get; init; }

    [Column("at the end", Since = 2)]
    public required double? Load1After { get; init; }
}
