using LutNative.Harness.Errors;
using LutNative.Harness.Nightly;
using LutNative.Harness.Recording;
using LutNative.Harness.Reports;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>A night's reports: in its folder, in the folder of nights, and to GitHub where a workflow runs it.</summary>
internal static class NightPublication
{
    internal static void Write(string root, string night, IReadOnlyList<Finding> findings)
    {
        var nights = History.Load(root);
        string summary = NightReport.Summary(nights);
        try
        {
            WholeFile.WriteText(Path.Combine(night, "summary.md"), summary);
            WholeFile.WriteText(Path.Combine(night, "junit.xml"), NightReport.JUnit(findings));
            foreach (var (file, text) in NightReport.Issues(nights))
                WholeFile.WriteText(Path.Combine(night, file), text);
            new RunStore(night).WriteManifest();
            WholeFile.WriteText(Path.Combine(root, "history.html"), HtmlReport.History(nights));
            // GitHub: the job's page shows the summary, and the log an annotation for every red row
            if (Environment.GetEnvironmentVariable("GITHUB_STEP_SUMMARY") is { Length: > 0 } page)
                File.AppendAllText(page, summary);
            if (Environment.GetEnvironmentVariable("GITHUB_ACTIONS") == "true")
                foreach (var f in findings.Where(f => f.Colour == Colour.Red))
                    Console.Error.WriteLine(GitHubLog.Error($"nightly {f.Kind} {f.Key}", $"{f.Verdict}: {f.Reason}"));
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw StoreErrors.CannotWriteNight(night, e.Message);
        }
    }
}
