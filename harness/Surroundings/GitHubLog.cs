using LutNative.Harness.Errors;

namespace LutNative.Harness.Surroundings;

/// <summary>
/// Lines of a GitHub Actions log that the runner acts on. Text inside of them cannot begin another one.
/// </summary>
internal static class GitHubLog
{
    /// <summary>An annotation of a failure.</summary>
    internal static string Error(string title, string message) =>
        $"::error title={Property(title)}::{Message(message)}";

    private static string Message(string text) => Plain.OneLine(text).Replace("%", "%25", StringComparison.Ordinal);

    private static string Property(string text) =>
        Message(text).Replace(":", "%3A", StringComparison.Ordinal).Replace(",", "%2C", StringComparison.Ordinal);
}
