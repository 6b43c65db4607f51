using System.CommandLine;
using System.Text;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

internal sealed record ExportedFile(string Path, int Rows);

internal sealed record ExportResult(IReadOnlyList<ExportedFile> Files, Exit Exit) : IVerbResult
{
    internal static void Text(ExportResult found) =>
        Output.Lines(found.Files.Select(f => FormattableString.Invariant($"{f.Path}: {f.Rows} rows")));
}

/// <summary>export: the tables of a run, written for tools that do not read Parquet.</summary>
internal static class ExportCommand
{
    private static readonly string[] Formats = ["csv", "jsonl"];

    internal static Command Build()
    {
        var command = new Command(
            "export",
            "Write a run's tables as CSV or JSON lines; floats so that they read back to the same bits. In CSV "
                + "a text that a spreadsheet would run as a formula begins with an apostrophe. Example: lut export "
                + "runs/A --to jsonl --output tables"
        );
        var run = command.Argument<string>("run", "A run's folder, or a unique part of its name");
        var to = command.Option("--to", "csv or jsonl", "csv");
        var output = command.Option<string>("--output", "Folder for the files", "-o", required: true);
        var json = command.Json();
        command.SetAction(r =>
            Output.Print(
                Write(RunFolders.Find(r.GetValue(run)!), r.GetValue(to)!, r.GetValue(output)!),
                r.GetValue(json),
                ExportResult.Text
            )
        );
        return command;
    }

    private static ExportResult Write(RunStore run, string to, string folder)
    {
        if (!Formats.Contains(to))
            throw UsageErrors.NoFormat(to);
        var written = new List<ExportedFile>();
        try
        {
            Directory.CreateDirectory(folder);
            foreach (var schema in Schema.All)
            {
                var table = run.Read(schema);
                if (table.Count == 0)
                    continue;
                string path = Path.Combine(folder, $"{schema.Name}.{to}");
                WholeFile.Write(path, stream => Write(stream, to, table));
                written.Add(new ExportedFile(path, table.Count));
            }
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw StoreErrors.CannotWriteTables(folder, e.Message);
        }
        return new ExportResult(written, Exit.Ok);
    }

    private static void Write(Stream stream, string to, Table table)
    {
        using var file = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        if (to == "csv")
            TableText.Csv(file, table);
        else
            TableText.JsonLines(file, table);
    }
}
