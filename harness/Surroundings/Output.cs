using System.Text.Json;
using LutNative.Harness.Errors;

namespace LutNative.Harness.Surroundings;

/// <summary>What verbs print on standard output: plain tables whose columns never wrap, or one JSON object.</summary>
internal static class Output
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    /// <summary>A verb's result, once: as JSON, or as the text that is made from it.</summary>
    /// <returns>The process's exit code.</returns>
    internal static int Print<T>(T result, bool json, Action<T> text)
        where T : IVerbResult
    {
        if (json)
            Json(result);
        else
            text(result);
        return (int)result.Exit;
    }

    /// <summary>A record, as the one object that scripts read.</summary>
    internal static void Json(object record) => Console.Out.WriteLine(JsonSerializer.Serialize(record, Indented));

    internal static void EmptyLine() => Console.Out.WriteLine();

    /// <summary>A line that may hold text from files: it stays one line and moves no cursor.</summary>
    internal static void Line(string text) => Console.Out.WriteLine(Plain.OneLine(text));

    /// <summary>A text of several lines, each of ours.</summary>
    internal static void Page(string text) => Console.Out.WriteLine(Plain.Lines(text));

    internal static void Lines(IEnumerable<string> lines)
    {
        foreach (string line in lines)
            Line(line);
    }

    internal static void Table(string[] head, IEnumerable<string[]> rows)
    {
        // cells hold text from files
        string[][] all = [.. rows.Prepend(head).Select(r => r.Select(Plain.OneLine).ToArray())];
        int[] width = [.. Enumerable.Range(0, head.Length).Select(c => all.Max(r => r[c].Length))];
        foreach (var r in all)
            Console.Out.WriteLine(string.Join("  ", r.Select((cell, c) => cell.PadRight(width[c]))).TrimEnd());
    }
}
