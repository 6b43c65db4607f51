namespace LutNative.Harness.Surroundings;

/// <summary>Cells of CSV files (RFC 4180), which people open with spreadsheets.</summary>
internal static class Csv
{
    /// <summary>
    /// A cell of a column of text. One that a spreadsheet would take for a formula gets an apostrophe in front, which
    /// spreadsheets read as "this is text".
    /// </summary>
    internal static string Text(string text) =>
        Cell(text.Length > 0 && text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' ? "'" + text : text);

    /// <summary>A cell that is no text of others: a number, a time, digits.</summary>
    internal static string Cell(string value) =>
        value.AsSpan().IndexOfAny(",\"\n\r") < 0
            ? value
            : "\"" + value.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
}
