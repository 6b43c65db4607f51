using System.Globalization;
using System.Text;
using System.Xml.Linq;
using LutNative.Harness.Errors;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Nightly;

/// <summary>
/// What a night says to people and to CI: a Markdown summary, JUnit, and one living issue for every row that is or was
/// red.
/// </summary>
internal static class NightReport
{
    /// <summary>Clean nights after which an issue may be closed.</summary>
    internal const int CloseAfter = 3;

    /// <summary>Nights that an issue shows.</summary>
    private const int NightsOfAnIssue = 14;
    private const int ShortCommit = 10;

    /// <param name="nights">All nights, this one last.</param>
    internal static string Summary(IReadOnlyList<IReadOnlyList<Finding>> nights)
    {
        var tonight = nights[^1];
        int red = tonight.Count(f => f.Colour == Colour.Red);
        int grey = tonight.Count(f => f.Colour == Colour.Grey);
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"# Night of {tonight[0].AtUtc:yyyy-MM-dd HH:mm} UTC: "
                + $"{(red > 0 ? $"{red} red" : grey > 0 ? $"not fit ({grey} grey)" : "clean")}\n\n"
                + $"{Markdown(tonight[0].Hardware)}, commit {Short(tonight[0].Commit)}\n\n"
        );
        text.Append(
            "| stage | row | verdict | tonight | before | ratio | nights failing | what |\n| --- | --- | --- | "
                + "--- | --- | --- | --- | --- |\n"
        );
        foreach (var f in tonight.OrderByDescending(f => f.Colour))
        {
            int streak = f.Colour == Colour.Red ? History.Streak(nights, f.Kind, f.Key, Colour.Red) : 0;
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {Markdown(f.Kind)} | {Markdown(f.Key)} | **{Markdown(f.Verdict)}** | {Number(f.B)} | "
                    + $"{(f.Kind == "perf" ? Number(f.A) : "")} | {Ratio(f)} | {(streak > 0 ? streak : "")} | "
                    + $"{Markdown(f.Reason)} |\n"
            );
        }
        foreach (
            var f in tonight.Where(f =>
                f.Colour == Colour.Grey && History.Streak(nights, f.Kind, f.Key, Colour.Grey) >= 3
            )
        )
            text.Append(
                CultureInfo.InvariantCulture,
                $"\n**{Markdown(f.Key)} could not be measured for {History.Streak(nights, f.Kind, f.Key, Colour.Grey)} nights: look at the machine "
                    + $"(`lut doctor --require perf --probe`).**\n"
            );
        return text.ToString();
    }

    internal static string JUnit(IReadOnlyList<Finding> tonight)
    {
        var suites = new XElement("testsuites");
        foreach (var kind in tonight.GroupBy(f => f.Kind))
        {
            var suite = new XElement(
                "testsuite",
                new XAttribute("name", "lut nightly " + Plain.OneLine(kind.Key)),
                new XAttribute("tests", kind.Count()),
                new XAttribute("failures", kind.Count(f => f.Colour == Colour.Red)),
                new XAttribute("skipped", kind.Count(f => f.Colour == Colour.Grey)),
                new XAttribute("timestamp", tonight[0].AtUtc.Text("yyyy-MM-ddTHH:mm:ss"))
            );
            foreach (var f in kind)
            {
                var test = new XElement(
                    "testcase",
                    new XAttribute("classname", "nightly." + Plain.OneLine(f.Kind)),
                    new XAttribute("name", Plain.OneLine(f.Key))
                );
                // XML has no place for most control characters
                string what = Plain.OneLine($"{f.Verdict}{(Ratio(f) is { Length: > 0 } r ? " " + r : "")}: {f.Reason}");
                if (f.Colour == Colour.Red)
                    test.Add(new XElement("failure", new XAttribute("message", Plain.OneLine(f.Verdict)), what));
                else if (f.Colour == Colour.Grey)
                    test.Add(new XElement("skipped", new XAttribute("message", what)));
                else
                    test.Add(new XElement("system-out", what));
                suite.Add(test);
            }
            suites.Add(suite);
        }
        return new XDeclaration("1.0", "utf-8", null) + "\n" + suites + "\n";
    }

    /// <summary>
    /// One issue for each row that is red, or was within the last nights: its title stays, its text is written anew
    /// every night; a bot finds it by the title.
    /// </summary>
    internal static IEnumerable<(string File, string Text)> Issues(IReadOnlyList<IReadOnlyList<Finding>> nights)
    {
        foreach (
            var (kind, key) in nights
                .SelectMany(n => n.Where(f => f.Colour == Colour.Red).Select(f => (f.Kind, f.Key)))
                .Distinct()
        )
        {
            var history = nights
                .Select(n => n.FirstOrDefault(f => f.Kind == kind && f.Key == key))
                .OfType<Finding>()
                .ToList();
            int failing = History.Streak(nights, kind, key, Colour.Red);
            int clean = nights
                .Reverse()
                .TakeWhile(n => n.All(f => f.Kind != kind || f.Key != key || f.Colour != Colour.Red))
                .Count();
            if (failing == 0 && clean > CloseAfter)
                continue; // closed on an earlier night
            var worst = history.Last(f => f.Colour == Colour.Red);
            string state = State(failing, clean);
            var text = new StringBuilder();
            text.Append(
                CultureInfo.InvariantCulture,
                $"title: [nightly] {Plain.OneLine($"{kind} {key} on {worst.Hardware}")}\n"
                    + $"state: {(failing == 0 && clean >= CloseAfter ? "closed" : "open")}\n\n"
                    + $"{state}{(worst.Ratio is not null ? $", {Ratio(worst)}" : "")}\n\n{Markdown(worst.Verdict)}: {Markdown(worst.Reason)}\n\n"
            );
            text.Append("| night | commit | verdict | value | ratio |\n| --- | --- | --- | --- | --- |\n");
            foreach (var f in history.TakeLast(NightsOfAnIssue).Reverse())
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"| {f.AtUtc:yyyy-MM-dd HH:mm} | {Short(f.Commit)} | {Markdown(f.Verdict)} | {Number(f.B)} | {Ratio(f)} |\n"
                );
            var good = history.TakeWhile(f => f != worst).LastOrDefault(f => f.Colour == Colour.Green);
            if (good is not null && good.Commit != worst.Commit && kind == "exact")
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"\nFind the commit: `lut bisect --good {Short(good.Commit)} --bad {Short(worst.Commit)}`\n"
                );
            if (kind == "perf")
                text.Append("\nIf this is meant: `lut baseline accept NIGHT --reason \"...\"`.\n");
            yield return (FileName.Of($"issue-{kind}-{key}.md"), text.ToString());
        }
    }

    /// <summary>What becomes of a row's issue.</summary>
    private static string State(int failing, int clean)
    {
        if (failing > 0)
            return "failing " + Nights(failing);
        return clean >= CloseAfter
            ? $"close: clean for {clean} nights"
            : $"clean for {Nights(clean)}, closes after {CloseAfter}";
    }

    private static string Nights(int n) => n == 1 ? "1 night" : n.Text() + " nights";

    private static string Short(string commit) =>
        commit.Length == 0 ? "unknown" : Markdown(commit.Length > ShortCommit ? commit[..ShortCommit] : commit);

    private static string Markdown(string text) => Surroundings.Markdown.Text(text);

    private static string Number(double? v) => v is { } x ? x.Text("0.##") : "";

    private static string Ratio(Finding f) =>
        f.Ratio is { } r && r > 0
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{100 * (r - 1):+0.0;-0.0;0.0} % [{100 * (f.Low - 1):+0.0;-0.0;0.0}, {100 * (f.High - 1):+0.0;-0.0;0.0}]"
            )
            : "";
}
