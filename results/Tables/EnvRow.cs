namespace LutNative.Results;

/// <summary>The files that computed: assemblies, NVIDIA's libraries, kernels.</summary>
[Table("env")]
public sealed record EnvRow : IRow
{
    [Column]
    public required RunId RunId { get; init; }

    [Column("assembly, library of NVIDIA's, or kernel (PTX)")]
    public required string Kind { get; init; }

    [Column]
    public required string Name { get; init; }

    [Column("of a library: its path")]
    public required string Version { get; init; }

    [Column("of the file that was loaded")]
    public required string? Sha256 { get; init; }
}
