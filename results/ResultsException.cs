namespace LutNative.Results;

/// <summary>Why the results store refused; an error's number is 100 more, and never reused.</summary>
public enum StoreFault
{
    Unreadable,
    NewerSchema,
    CannotWrite,
    Damaged,
    Missing,

    /// <summary>Another process owns the folder.</summary>
    Held = 300,

    /// <summary>The file system cannot lock.</summary>
    CannotLock = 301,
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
