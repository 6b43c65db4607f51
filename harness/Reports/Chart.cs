using System.Globalization;
using System.Text;
using LutNative.Harness.Surroundings;
using LutNative.Model.Numerics;

namespace LutNative.Harness.Reports;

/// <summary>One line of a chart. Values that are not finite leave a gap.</summary>
/// <param name="Low">Lower ends of intervals, drawn as bars; null for none.</param>
/// <param name="Notes">What a pointer that rests on a point reads; null for its numbers.</param>
public sealed record Series(
    string Name,
    IReadOnlyList<double> X,
    IReadOnlyList<double> Y,
    IReadOnlyList<double>? Low = null,
    IReadOnlyList<double>? High = null,
    IReadOnlyList<string>? Notes = null,
    bool Points = false
);

/// <summary>A level, or a vertical mark, with a word.</summary>
public sealed record Mark(double At, string Label, bool Vertical = false, double? Until = null);

/// <summary>
/// Line charts as SVG that stands alone: light and dark by the reader's setting, colours that the colour-blind tell
/// apart (Okabe and Ito), dashes too; a title and a description for screen readers. The same input gives the same text.
/// </summary>
public static class Chart
{
    private const int Width = 640;
    private const int Height = 300;
    private const int Left = 66;
    private const int Right = 24;
    private const int Top = 34;
    private const int Bottom = 44;
    private static readonly string[] Dashes = ["none", "7 4", "2 3", "9 3 2 3", "none", "4 4"];

    /// <summary>Colours and fonts; a page that embeds charts has it once.</summary>
    public const string Style = """
        .chart{font:12px system-ui,sans-serif;max-width:100%;height:auto;--ink:#333;--s0:#0072b2;--s1:#d55e00;--s2:#009e73;--s3:#cc79a7;--s4:#b58900;--s5:#56b4e9}
        @media(prefers-color-scheme:dark){.chart{--ink:#ddd;--s0:#56b4e9;--s1:#f0883e;--s2:#2fd39f;--s4:#e6c34a;--s5:#9ecbff}}
        .s0{stroke:var(--s0);fill:var(--s0)}.s1{stroke:var(--s1);fill:var(--s1)}.s2{stroke:var(--s2);fill:var(--s2)}.s3{stroke:var(--s3);fill:var(--s3)}.s4{stroke:var(--s4);fill:var(--s4)}.s5{stroke:var(--s5);fill:var(--s5)}
        .chart text{fill:var(--ink)}.chart .axis{stroke:#888}.chart .grid{stroke:#8884;stroke-width:.5}.chart .line{fill:none;stroke-width:1.8}.chart .mark{stroke:#888;stroke-dasharray:3 3}.chart .band{fill:#8883;stroke:none}
        """;

    private const string Background =
        " .chart{background:#fff}@media(prefers-color-scheme:dark){.chart{background:#1b1f24}}";

    /// <summary>An SVG file of its own.</summary>
    public static string File(
        string title,
        string xLabel,
        string yLabel,
        IReadOnlyList<Series> series,
        bool logY = false
    ) =>
        $"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{Draw(title, xLabel, yLabel, series, logY, null, null, Html.Style(Style + Background))}\n";

    /// <param name="xText">How a tick's number reads; null for plain.</param>
    public static Html Line(
        string title,
        string xLabel,
        string yLabel,
        IReadOnlyList<Series> series,
        bool logY = false,
        IReadOnlyList<Mark>? marks = null,
        Func<double, string>? xText = null
    ) => Draw(title, xLabel, yLabel, series, logY, marks, xText, style: default);

    private static Html Draw(
        string title,
        string xLabel,
        string yLabel,
        IReadOnlyList<Series> series,
        bool logY,
        IReadOnlyList<Mark>? marks,
        Func<double, string>? xText,
        Html style
    )
    {
        var shown = series.Where(s => s.Y.Any(y => Fits(y, logY))).ToList();
        var values = shown
            .SelectMany(s => s.Y.Concat(s.Low ?? []).Concat(s.High ?? []))
            .Concat((marks ?? []).Where(m => !m.Vertical).SelectMany(m => new[] { m.At, m.Until ?? m.At }))
            .Where(y => Fits(y, logY))
            .Select(y => logY ? Log10(y) : y)
            .ToList();
        var svg = new HtmlBuilder();
        string description =
            $"{title}: " + string.Join("; ", shown.Select(s => $"{s.Name} from {Number(s.Y[0])} to {Number(s.Y[^1])}"));
        svg.Add(
            $"<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" "
                + $"width=\"{Width}\" height=\"{Height}\" role=\"img\" aria-label=\"{description}\">{style}<title>{title}</title>"
        );
        if (values.Count == 0)
            return svg.Add($"<text x=\"20\" y=\"40\">{title}: nothing to draw</text></svg>").Build();
        double[] xs = [.. shown.SelectMany(s => s.X)];
        double x0 = xs.Min();
        double x1 = xs.Max();
        double y0 = values.Min();
        double y1 = values.Max();
        if (x1 == x0)
            (x0, x1) = (x0 - 0.5, x1 + 0.5);
        double room = y1 == y0 ? Math.Max(1e-9, Math.Abs(y0) * 0.05) : 0.06 * (y1 - y0);
        (y0, y1) = (y0 - room, y1 + room);
        double X(double x) => Left + (x - x0) / (x1 - x0) * (Width - Left - Right);
        double Y(double y) => Height - Bottom - ((logY ? Log10(y) : y) - y0) / (y1 - y0) * (Height - Top - Bottom);
        svg.Add($"<text x=\"{Left}\" y=\"16\" font-weight=\"600\">{title}</text>");
        foreach (double t in Ticks(y0, y1, 5, 0))
        {
            double value = logY ? Pow10(t) : t;
            double at = Y(value);
            svg.Add(
                $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{at:f1}\" y2=\"{at:f1}\"/><text "
                    + $"x=\"{Left - 6}\" y=\"{at + 4:f1}\" text-anchor=\"end\">{Number(value)}</text>"
            );
        }
        foreach (double t in Ticks(x0, x1, 6, xs.All(x => x == Math.Floor(x)) ? 1 : 0))
            svg.Add(
                $"<text x=\"{X(t):f1}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{xText?.Invoke(t) ?? Number(t)}</text>"
            );
        svg.Add(
            $"<line class=\"axis\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Height - Bottom}\" y2=\"{Height - Bottom}\"/><text "
                + $"x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 8}\" text-anchor=\"middle\">{xLabel}</text>"
        );
        svg.Add(
            $"<text transform=\"translate(13 {(Top + Height - Bottom) / 2}) rotate(-90)\" "
                + $"text-anchor=\"middle\">{yLabel}</text>"
        );
        foreach (var m in marks ?? [])
            if (m.Vertical)
                svg.Add(
                    $"<line class=\"mark\" x1=\"{X(m.At):f1}\" x2=\"{X(m.At):f1}\" y1=\"{Top}\" y2=\"{Height - Bottom}\"><title>{m.Label}</title></line>"
                );
            else if (m.Until is { } until)
                svg.Add(
                    $"<rect class=\"band\" x=\"{Left}\" width=\"{Width - Left - Right}\" y=\"{Y(until):f1}\" "
                        + $"height=\"{Math.Max(0.5, Y(m.At) - Y(until)):f1}\"><title>{m.Label}</title></rect>"
                );
            else
                svg.Add(
                    $"<line class=\"mark\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(m.At):f1}\" y2=\"{Y(m.At):f1}\"/><text "
                        + $"x=\"{Width - Right}\" y=\"{Y(m.At) - 3:f1}\" text-anchor=\"end\">{m.Label}</text>"
                );
        for (int i = 0; i < shown.Count; i++)
            Draw(svg, shown[i], i, X, Y, logY);
        double key = Width - Right;
        for (int i = shown.Count - 1; i >= 0 && shown.Count > 1; i--)
        {
            key -= 7.4 * shown[i].Name.Length + 30;
            svg.Add(
                $"<line class=\"line s{i % 6}\" stroke-dasharray=\"{Dashes[i % 6]}\" x1=\"{key:f0}\" x2=\"{key + 20:f0}\" "
                    + $"y1=\"{Top - 8}\" y2=\"{Top - 8}\"/><text x=\"{key + 24:f0}\" y=\"{Top - 4}\">{shown[i].Name}</text>"
            );
        }
        return svg.Add($"</svg>").Build();
    }

    private static void Draw(
        HtmlBuilder svg,
        Series s,
        int i,
        Func<double, double> x,
        Func<double, double> y,
        bool logY
    )
    {
        var path = new StringBuilder();
        bool pen = false;
        for (int p = 0; p < s.X.Count; p++)
        {
            if (!Fits(s.Y[p], logY))
            {
                pen = false;
                continue;
            }
            path.Append(CultureInfo.InvariantCulture, $"{(pen ? 'L' : 'M')}{x(s.X[p]):f1} {y(s.Y[p]):f1}");
            pen = true;
        }
        svg.Add($"<path class=\"line s{i % 6}\" stroke-dasharray=\"{Dashes[i % 6]}\" d=\"{path}\"/>");
        for (int p = 0; p < s.X.Count && (s.Points || s.Low is not null || s.Notes is not null); p++)
        {
            if (!Fits(s.Y[p], logY))
                continue;
            if (s.Low is { } low && s.High is { } high && Fits(low[p], logY) && Fits(high[p], logY))
                svg.Add(
                    $"<line class=\"s{i % 6}\" x1=\"{x(s.X[p]):f1}\" x2=\"{x(s.X[p]):f1}\" y1=\"{y(low[p]):f1}\" "
                        + $"y2=\"{y(high[p]):f1}\"/>"
                );
            svg.Add(
                $"<circle class=\"s{i % 6}\" cx=\"{x(s.X[p]):f1}\" cy=\"{y(s.Y[p]):f1}\" r=\"3\">"
                    + $"<title>{s.Notes?[p] ?? $"{s.Name}: {Number(s.X[p])}, {Number(s.Y[p])}"}</title></circle>"
            );
        }
    }

    private const double Ln10 = 2.302585092994046;

    private static double Log10(double x) => HostMath.Log(x) / Ln10;

    private static double Pow10(double x) => HostMath.Exp(x * Ln10);

    private static bool Fits(double y, bool logY) => double.IsFinite(y) && (!logY || y > 0);

    /// <summary>Round numbers (1, 2 or 5 times a power of ten) inside an interval, at least so far apart.</summary>
    private static IEnumerable<double> Ticks(double low, double high, int about, double apart)
    {
        double raw = Math.Max(apart, (high - low) / about);
        double power = Pow10(Math.Floor(Log10(raw)));
        double step = new[] { 1.0, 2, 5, 10, 20 }.First(m => m * power >= raw * (1 - 1e-9)) * power;
        for (double t = Math.Ceiling(low / step) * step; t <= high + 1e-9 * step; t += step)
            yield return Math.Abs(t) < 1e-9 * step ? 0 : t;
    }

    private static string Number(double v) =>
        Math.Abs(v) is >= 1e5 or (< 1e-3 and > 0) ? v.Text("0.#e+0") : v.Text("0.####");
}
