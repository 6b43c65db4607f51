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
/// An error that a user can act on: what, where, why, and what to do, with a stable id and an exit code. Each is made by
/// one method of the catalogue in this folder (docs/ERRORS.md, written from it), and each id has one meaning. What it is
/// told with comes from files and command lines: it cannot act on a terminal or begin a line. (No LINQ: this one must be
/// made where no further library can be loaded.)
/// </summary>
public sealed class LutError : Exception
{
    /// <param name="number">Of the id, unique under its exit code.</param>
    /// <param name="where">One place, or all of them.</param>
    internal LutError(Exit exit, int number, string what, string[] where, string why, string fix)
    {
        Exit = exit;
        Id = FormattableString.Invariant($"LUT{(int)exit}{number:d3}");
        What = Plain.OneLine(what);
        Where = Array.ConvertAll(where, Plain.OneLine);
        Why = Plain.OneLine(why);
        Fix = Plain.OneLine(fix);
    }

    internal LutError(Exit exit, int number, string what, string where, string why, string fix)
        : this(exit, number, what, [where], why, fix) { }

    public Exit Exit { get; }
    public string Id { get; }
    public string What { get; }
    public IReadOnlyList<string> Where { get; }
    public string Why { get; }
    public string Fix { get; }

    /// <summary>Four lines, or more where there are several places.</summary>
    public override string Message =>
        $"error {Id}: {What}\n  where: {string.Join("\n         ", Where)}\n  why:   {Why}\n  fix:   {Fix}";

    /// <summary>What --json prints.</summary>
    internal ErrorRecord Record => new(Id, What, Where, Why, Fix, (int)Exit);
}

/// <summary>An error as `--json` prints it, its texts as the four lines have them.</summary>
/// <param name="Where">One place, or several.</param>
internal sealed record ErrorRecord(
    string Id,
    string What,
    IReadOnlyList<string> Where,
    string Why,
    string Fix,
    int Exit
);
