using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>schema and export: the tables of a run, described and written for tools that do not read Parquet.</summary>
internal static class ExportCommands
{
    internal static IEnumerable<Command> Build()
    {
        var schema = new Command("schema", "The tables of a run and their columns. Example: lut schema steps");
        Argument<string?> table = new("table")
        {
            Description = "One table; without it all",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<bool> json = new("--json") { Description = "Print the result as one JSON object" };
        schema.Arguments.Add(table);
        schema.Options.Add(json);
        schema.SetAction(r => Describe(r.GetValue(table), r.GetValue(json)));
        yield return schema;

        var export = new Command(
            "export",
            "Write a run's tables as CSV or JSON lines; floats so that they read back to the same bits. In CSV a text that a spreadsheet would run as a formula begins with an apostrophe. Example: lut export runs/A --to jsonl --output tables"
        );
        Argument<string> run = new("run") { Description = "A run's folder, or a unique part of its name" };
        Option<string> to = new("--to") { Description = "csv or jsonl", DefaultValueFactory = _ => "csv" };
        Option<string> output = new("--output", "-o") { Description = "Folder for the files", Required = true };
        export.Arguments.Add(run);
        export.Options.Add(to);
        export.Options.Add(output);
        Option<bool> exportJson = new("--json") { Description = "Print the result as one JSON object" };
        export.Options.Add(exportJson);
        export.SetAction(r =>
            Write(RunFolders.Find(r.GetValue(run)!), r.GetValue(to)!, r.GetValue(output)!, r.GetValue(exportJson))
        );
        yield return export;
    }

    private static int Describe(string? name, bool json)
    {
        var tables = Schema.All.Where(s => name is null || s.Name == name).ToArray();
        if (tables.Length == 0)
            throw new LutError(
                Exit.Usage,
                31,
                $"there is no table {name}",
                "the table argument",
                "tables are " + string.Join(", ", Schema.All.Select(s => s.Name)),
                $"did you mean {Nearest.To(name!, Schema.All.Select(s => s.Name))}?"
            );
        if (json)
            Output.Json(
                new
                {
                    version = $"{Schema.Major}.{Schema.Minor}",
                    tables = tables.Select(t => new
                    {
                        name = t.Name,
                        columns = t.Columns.Select(c => new
                        {
                            name = c.Name,
                            type = c.Type.ToString(),
                            exact = c.Exact,
                            nullable = c.Nullable,
                            meaning = c.Meaning,
                        }),
                    }),
                    exit = 0,
                }
            );
        else
            foreach (var t in tables)
            {
                Output.Line(t.Name);
                Output.Table(
                    ["column", "type", "exact", "null", "meaning"],
                    t.Columns.Select(c =>
                        new[] { c.Name, c.Type.ToString(), c.Exact ? "yes" : "", c.Nullable ? "may be" : "", c.Meaning }
                    )
                );
                Console.Out.WriteLine();
            }
        return 0;
    }

    private static int Write(RunStore run, string to, string folder, bool asJson)
    {
        var written = new List<(string Path, int Rows)>();
        if (to is not ("csv" or "jsonl"))
            throw new LutError(
                Exit.Usage,
                32,
                $"there is no format {to}",
                "--to",
                "the formats are csv and jsonl",
                $"did you mean {Nearest.To(to, ["csv", "jsonl"])}?"
            );
        try
        {
            Directory.CreateDirectory(folder);
            foreach (var schema in Schema.All)
            {
                var table = run.Read(schema);
                if (table.Count == 0)
                    continue;
                string path = Path.Combine(folder, $"{schema.Name}.{to}");
                WholeFile.Write(
                    path,
                    stream =>
                    {
                        using var file = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true)
                        {
                            NewLine = "\n",
                        };
                        if (to == "csv")
                            CsvLines(file, table);
                        else
                            JsonLines(file, table);
                    }
                );
                written.Add((path, table.Count));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LutError(
                Exit.Store,
                14,
                "cannot write the tables",
                Path.GetFullPath(folder),
                e.Message,
                "free some space or choose another --output"
            );
        }
        if (asJson)
            Output.Json(new { files = written.Select(w => new { path = w.Path, rows = w.Rows }), exit = 0 });
        else
            foreach (var (path, rows) in written)
                Output.Line(FormattableString.Invariant($"{path}: {rows} rows"));
        return 0;
    }

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

    private static void CsvLines(TextWriter to, Table table)
    {
        var columns = table.Schema.Columns;
        to.WriteLine(string.Join(",", columns.Select(c => c.Name)));
        foreach (var row in table.Records)
            to.WriteLine(
                string.Join(
                    ",",
                    columns.Select(c =>
                        c.Type == ColumnType.Text ? Csv.Text(Text(c.Value(row))) : Csv.Cell(Text(c.Value(row)))
                    )
                )
            );
    }

    private static void JsonLines(TextWriter to, Table table)
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
