namespace LutNative.Harness.Errors;

/// <summary>The exit codes of `lut`: an interface (docs/EXIT_CODES.md), tested.</summary>
public enum Exit
{
    Ok = 0,
    Internal = 1,
    Usage = 2,
    Negative = 3,
    Inconclusive = 4,
    Unfit = 5,
    Data = 6,
    Numerics = 7,
    NothingSelected = 8,
    Store = 9,
    Interrupted = 75,
}

/// <summary>
/// An error that a user can act on: what, where, why, and what to do, with a stable id and an exit code. Each id has
/// one meaning (a test holds that), and what it is told with comes from files and command lines: it cannot act on a
/// terminal or begin a line. (No LINQ: this one must be made where no further library can be loaded.)
/// </summary>
public sealed class LutError(Exit exit, int number, string what, string[] where, string why, string fix)
    : Exception(
        $"error {IdOf(exit, number)}: {Plain.OneLine(what)}\n  where: {string.Join("\n         ", Array.ConvertAll(where, Plain.OneLine))}\n  why:   {Plain.OneLine(why)}\n  fix:   {Plain.OneLine(fix)}"
    )
{
    public LutError(Exit exit, int number, string what, string where, string why, string fix)
        : this(exit, number, what, [where], why, fix) { }

    public Exit Exit { get; } = exit;
    public string Id { get; } = IdOf(exit, number);
    public string What { get; } = what;

    private static string IdOf(Exit exit, int number) => FormattableString.Invariant($"LUT{(int)exit}{number:d3}");
}
