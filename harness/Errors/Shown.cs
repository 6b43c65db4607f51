using System.Globalization;
using System.Text;

namespace LutNative.Harness.Errors;

/// <summary>
/// Names from disk as a message may show them: on one line, without anything that a terminal or a CI log would obey.
/// Unlike <see cref="Errors.Plain"/>, two names never look alike (a backslash is escaped too, and whatever has no width
/// or no glyph): an index stores names in this form, so it is part of data_hash and must not change. Plain may be
/// applied to its own output and changes nothing then; this one escapes again.
/// </summary>
internal static class Shown
{
    /// <summary>
    /// Control characters, line ends, marks of direction and a backslash become \n, \t, \x1b or \u202e.
    /// </summary>
    internal static string Name(string name)
    {
        if (!name.Any(Hidden))
            return name;
        var text = new StringBuilder(name.Length + 8);
        foreach (char c in name)
            text.Append(Hidden(c) ? Escape(c) : c);
        return text.ToString();
    }

    /// <summary>A name's bytes: ASCII as it is, anything else as \xe9.</summary>
    internal static string Bytes(ReadOnlySpan<byte> name)
    {
        var text = new StringBuilder(name.Length);
        foreach (byte b in name)
            text.Append(
                b is > 0x1f and < 0x7f and not (byte)'\\'
                    ? (char)b
                    : string.Create(CultureInfo.InvariantCulture, $"\\x{b:x2}")
            );
        return text.ToString();
    }

    private static string Escape(char c) =>
        c switch
        {
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\\' => "\\\\",
            < (char)0x100 => string.Create(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}"),
            _ => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
        };

    private static bool Hidden(char c) =>
        c == '\\'
        || CharUnicodeInfo.GetUnicodeCategory(c)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator;
}
