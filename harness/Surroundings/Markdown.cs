using System.Text;
using LutNative.Harness.Errors;

namespace LutNative.Harness.Surroundings;

/// <summary>
/// Text from files inside of Markdown: it stays one line and one cell, makes no markup, no link and no mention of
/// anybody.
/// </summary>
internal static class Markdown
{
    internal static string Text(string text)
    {
        string line = Plain.OneLine(text);
        var to = new StringBuilder(line.Length + 16);
        for (int i = 0; i < line.Length; i++)
            if (line[i] is '\\' or '|' or '`' or '*' or '~' or '[' or ']' or '#' or '!')
                to.Append('\\').Append(line[i]);
            else if (line[i] is '_' && (i == 0 || !char.IsLetterOrDigit(line[i - 1])))
                to.Append("\\_");
            else if (line[i] is '@' && (i == 0 || !char.IsLetterOrDigit(line[i - 1])))
                to.Append("&#64;");
            else
                to.Append(
                    line[i] switch
                    {
                        '<' => "&lt;",
                        '>' => "&gt;",
                        '&' => "&amp;",
                        _ => line[i].ToString(),
                    }
                );
        return to.ToString();
    }
}
