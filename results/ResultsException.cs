namespace LutNative.Results;

/// <summary>Why the results store refused.</summary>
public enum StoreFault
{
    Unreadable,
    NewerSchema,
    CannotWrite,
    Damaged,
    Missing,

    /// <summary>Another process owns the folder.</summary>
    Held,

    /// <summary>The file system cannot lock.</summary>
    CannotLock,
}

/// <summary>
/// A results file cannot be written, read or trusted; the message says what, where, why and what to do.
/// </summary>
public sealed class ResultsException(StoreFault fault, string what, string where, string why, string fix)
    : Exception($"{what}: {why}")
{
    public StoreFault Fault { get; } = fault;
    public string What { get; } = what;
    public string Where { get; } = where;
    public string Why { get; } = why;
    public string Fix { get; } = fix;
}
