using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace LutNative.Results;

/// <summary>
/// The names of parts, steps-00003.parquet: exactly those belong to a run. Whatever else lies in its folder is
/// somebody's.
/// </summary>
public static class PartName
{
    private const string Extension = ".parquet";

    public static string Of(TableSchema table, int part) =>
        FormattableString.Invariant($"{table.Name}-{part:d5}{Extension}");

    public static bool TryParse(string path, [NotNullWhen(true)] out TableSchema? table, out int part)
    {
        string name = Path.GetFileName(path);
        (table, part) = (null, -1);
        int dash = name.LastIndexOf('-');
        if (dash <= 0 || !name.EndsWith(Extension, StringComparison.Ordinal))
            return false;
        if (
            !int.TryParse(
                name.AsSpan(dash + 1, name.Length - Extension.Length - dash - 1),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out part
            )
        )
            return false;
        var named = Schema.All.FirstOrDefault(t => name.AsSpan(0, dash).SequenceEqual(t.Name));
        // exactly the name that a commit would give it
        if (named is null || Of(named, part) != name)
            return false;
        table = named;
        return true;
    }
}
