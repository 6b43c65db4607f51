using System.Globalization;
using System.Text;
using System.Text.Json;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>A table as CSV or JSON lines, for tools that do not read Parquet.</summary>
internal static class TableText
{
    /// <summary>
    /// Blobs as hexadecimal digits, times as ISO 8601, numbers in the shortest form that reads back to the same bits.
    /// </summary>
    private static string Text(object? value) =>
        value switch
        {
            null => "",
            byte[] b => Convert.ToHexStringLower(b),
            DateTime t => t.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture),
            float f => f.ToString("R", CultureInfo.InvariantCulture),
            double d => d.ToString("R", CultureInfo.InvariantCulture),
            bool b => b ? "true" : "false",
            _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        };

    internal static void Csv(TextWriter to, Table table)
    {
        var columns = table.Schema.Columns;
        to.WriteLine(string.Join(",", columns.Select(c => c.Name)));
        foreach (var row in table.Records)
            to.WriteLine(string.Join(",", columns.Select(c => Cell(c, c.Value(row)))));
    }

    private static string Cell(Column column, object? value) =>
        column.Type == ColumnType.Text ? Surroundings.Csv.Text(Text(value)) : Surroundings.Csv.Cell(Text(value));

    internal static void JsonLines(TextWriter to, Table table)
    {
        using var line = new MemoryStream();
        foreach (var row in table.Records)
        {
            line.SetLength(0);
            using (var json = new Utf8JsonWriter(line))
            {
                json.WriteStartObject();
                foreach (var column in table.Schema.Columns)
                {
                    json.WritePropertyName(column.Name);
                    object? value = column.Value(row);
                    switch (value)
                    {
                        case null:
                            json.WriteNullValue();
                            break;
                        case bool b:
                            json.WriteBooleanValue(b);
                            break;
                        case int or long or uint:
                            json.WriteRawValue(Text(value));
                            break;
                        // JSON has no NaN and no infinity: they are text, and the bits column beside them says which
                        case float f when float.IsFinite(f):
                            json.WriteRawValue(Text(value));
                            break;
                        case double d when double.IsFinite(d):
                            json.WriteRawValue(Text(value));
                            break;
                        default:
                            json.WriteStringValue(Text(value));
                            break;
                    }
                }
                json.WriteEndObject();
            }
            to.WriteLine(Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length));
        }
    }
}
