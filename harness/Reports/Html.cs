using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;

namespace LutNative.Harness.Reports;

/// <summary>
/// Markup. The one place where text becomes it: what stands literally in <c>Html.Of($"...")</c> is markup, whatever is
/// put into its holes is text and is escaped, unless it is <see cref="Html"/> itself. So a name from a file cannot
/// become markup by being forgotten. Good for HTML, for SVG and for attributes in double quotes.
/// </summary>
public readonly struct Html
{
    private readonly string? markup;

    private Html(string markup) => this.markup = markup;

    public override string ToString() => markup ?? "";

    public static Html Of(HtmlInterpolation markup) => new(markup.ToString());

    /// <summary>Text, escaped.</summary>
    public static implicit operator Html(string text) => new(Escaped(text));

    public static Html operator +(Html a, Html b) => new(a.ToString() + b.ToString());

    public static Html Concat(IEnumerable<Html> parts) => new(string.Concat(parts.Select(p => p.ToString())));

    /// <summary>
    /// A style sheet or script of this program, as an element, and the hash by which a content security policy lets it
    /// act.
    /// </summary>
    internal static (Html Element, string Hash) Own(string element, string text) =>
        (
            new Html($"<{element}>{text}</{element}>"),
            $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'"
        );

    /// <summary>A style sheet of this program.</summary>
    internal static Html Style(string ours) => Own("style", ours).Element;

    /// <summary>Characters that neither HTML nor XML allows are shown as U+FFFD.</summary>
    internal static string Escaped(string text)
    {
        var to = new StringBuilder(text.Length + 16);
        for (int i = 0; i < text.Length; i++)
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                to.Append(text[i]).Append(text[++i]);
            else
                to.Append(
                    text[i] switch
                    {
                        '&' => "&amp;",
                        '<' => "&lt;",
                        '>' => "&gt;",
                        '"' => "&quot;",
                        '\'' => "&#39;",
                        _ => Allowed(text[i]).ToString(),
                    }
                );
        return to.ToString();
    }

    private static char Allowed(char c) =>
        (char.IsControl(c) && c is not ('\n' or '\t')) || char.IsSurrogate(c) || c is '\ufffe' or '\uffff'
            ? '\ufffd'
            : c;
}

/// <summary>Literals pass, holes are escaped.</summary>
[InterpolatedStringHandler]
public readonly ref struct HtmlInterpolation(int literal, int holes)
{
    private readonly StringBuilder to = new(literal + 16 * holes);

    public void AppendLiteral(string ours) => to.Append(ours);

    public void AppendFormatted(Html markup) => to.Append(markup.ToString());

    public void AppendFormatted(HtmlBuilder markup) => to.Append(markup.ToString());

    public void AppendFormatted(string? text) => to.Append(Html.Escaped(text ?? ""));

    public void AppendFormatted<T>(T value, string? format = null) =>
        to.Append(
            Html.Escaped(
                (value is IFormattable f ? f.ToString(format, CultureInfo.InvariantCulture) : value?.ToString()) ?? ""
            )
        );

    public override string ToString() => to.ToString();
}

/// <summary>Markup that grows.</summary>
public sealed class HtmlBuilder
{
    private readonly StringBuilder to = new();

    public HtmlBuilder Add(HtmlInterpolation markup)
    {
        to.Append(markup.ToString());
        return this;
    }

    public HtmlBuilder Put(Html markup)
    {
        to.Append(markup.ToString());
        return this;
    }

    public Html Build() => Html.Of($"{this}");

    public override string ToString() => to.ToString();
}
