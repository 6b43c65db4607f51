using System.CommandLine;
using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <param name="Exact">Part of the contract: equal on every machine.</param>
internal sealed record DescribedColumn(string Name, string Type, bool Exact, bool Nullable, string Meaning);

internal sealed record DescribedTable(string Name, IReadOnlyList<DescribedColumn> Columns);

internal sealed record SchemaResult(string Version, IReadOnlyList<DescribedTable> Tables, Exit Exit) : IVerbResult
{
    internal static void Text(SchemaResult found)
    {
        foreach (var table in found.Tables)
        {
            Output.Line(table.Name);
            Output.Table(
                ["column", "type", "exact", "null", "meaning"],
                table.Columns.Select(c =>
                    new[] { c.Name, c.Type, c.Exact ? "yes" : "", c.Nullable ? "may be" : "", c.Meaning }
                )
            );
            Output.EmptyLine();
        }
    }
}

/// <summary>schema: the tables of a run, described.</summary>
internal static class SchemaCommand
{
    internal static Command Build()
    {
        var command = new Command("schema", "The tables of a run and their columns. Example: lut schema steps");
        var table = command.Argument<string?>("table", "One table; without it all", ArgumentArity.ZeroOrOne);
        var json = command.Json();
        command.SetAction(r => Output.Print(Describe(r.GetValue(table)), r.GetValue(json), SchemaResult.Text));
        return command;
    }

    private static SchemaResult Describe(string? name)
    {
        var tables = Schema.All.Where(s => name is null || s.Name == name).ToArray();
        if (tables.Length == 0)
            throw UsageErrors.NoTable(name!, Schema.All.Select(s => s.Name));
        return new SchemaResult(
            $"{Schema.Major}.{Schema.Minor}",
            [
                .. tables.Select(t => new DescribedTable(
                    t.Name,
                    [
                        .. t.Columns.Select(c => new DescribedColumn(
                            c.Name,
                            c.Type.ToString(),
                            c.Exact,
                            c.Nullable,
                            c.Meaning
                        )),
                    ]
                )),
            ],
            Exit.Ok
        );
    }
}
