using System.Globalization;
using System.Text;

namespace LutNative.Harness.Errors;

/// <summary>
/// Text from files, command lines and other people's programs, as it may reach a terminal or a log: whatever would move
/// a cursor, change a colour, begin a line of its own or turn the direction of what follows is shown as an escape
/// instead of acting. For display alone; names that are stored or compared go through Images/Shown, which says how the
/// two differ.
/// </summary>
public static class Plain
{
    /// <summary>On one line: line feeds and tabs are escapes too (\x0a, \x09).</summary>
    public static string OneLine(string text) => Visible(text, "");

    /// <summary>
    /// A message of several lines, each of ours: line feeds stay, everything else is as in <see cref="OneLine"/>.
    /// </summary>
    public static string Lines(string text) => Visible(text, "\n");

    private static string Visible(string text, string kept)
    {
        int first = 0;
        while (first < text.Length && !Acts(text, first, kept))
            first++;
        if (first == text.Length)
            return text;
        var visible = new StringBuilder(text, 0, first, text.Length + 16);
        for (int i = first; i < text.Length; i++)
            if (!Acts(text, i, kept))
                visible.Append(text[i]);
            else if (text[i] < 0x100)
                visible.Append(CultureInfo.InvariantCulture, $"\\x{(int)text[i]:x2}");
            else
                visible.Append(CultureInfo.InvariantCulture, $"\\u{{{(int)text[i]:x4}}}");
        return visible.ToString();
    }

    private static bool Acts(string text, int i, string kept)
    {
        char c = text[i];
        if (kept.Contains(c, StringComparison.Ordinal))
            return false;
        if (char.IsHighSurrogate(c))
            return i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1]);
        if (char.IsLowSurrogate(c))
            return i == 0 || !char.IsHighSurrogate(text[i - 1]);
        // controls (C0, DEL, C1), the separators of lines and paragraphs, marks and overrides of direction, and what
        // has no width
        return char.IsControl(c)
            || c
                is '\u2028'
                    or '\u2029'
                    or '\u061c'
                    or '\ufeff'
                    or (>= '\u200b' and <= '\u200f')
                    or (>= '\u202a' and <= '\u202e')
                    or (>= '\u2060' and <= '\u206f');
    }
}
