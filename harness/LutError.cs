namespace LutNative.Harness;

/// <summary>The exit codes of `lut`: an interface (docs/EXIT_CODES.md), tested.</summary>
public enum Exit
{
    Ok = 0, Internal = 1, Usage = 2, Negative = 3, Inconclusive = 4, Unfit = 5, Data = 6, Numerics = 7, NothingSelected = 8, Store = 9, Interrupted = 75,
}

/// <summary>An error that a user can act on: what, where, why, and what to do, with a stable id and an exit code.</summary>
public sealed class LutError(Exit exit, int number, string what, string where, string why, string fix) : Exception(
    $"error LUT{(int)exit}{number:d3}: {what}\n  where: {where}\n  why:   {why}\n  fix:   {fix}")
{
    public Exit Exit { get; } = exit;
    public string Id { get; } = FormattableString.Invariant($"LUT{(int)exit}{number:d3}");
    public string What { get; } = what;
}
