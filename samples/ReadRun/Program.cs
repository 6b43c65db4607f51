// What a run left behind, read by DuckDB: nothing of ours is needed for it but the folder.
using System.Globalization;
using DuckDB.NET.Data;
using LutNative.Results;

if (args.Length != 1)
{
    Console.Error.WriteLine("usage: ReadRun RUN");
    return 2;
}
string run = args[0];

// is the folder as it was written? (the manifest names every file with its SHA-256)
Console.WriteLine(new RunStore(run).IsComplete ? "complete" : "not complete");

Show(
    "losses, with their bits",
    "SELECT stage, count(*) AS steps, first(loss ORDER BY step) AS first, last(loss ORDER BY step) AS last, "
        + "printf('%08x', last(loss_bits ORDER BY step)) AS bits FROM steps GROUP BY stage ORDER BY stage"
);
Show("results", "SELECT metric, correct, n FROM evals ORDER BY metric");
Show(
    "classes that are taken for each other most often",
    "SELECT label, top1, count(*) AS images FROM predictions WHERE metric = 'knn_top1' AND label <> top1 "
        + "GROUP BY ALL ORDER BY images DESC, label, top1 LIMIT 3"
);
return 0;

void Show(string title, string sql)
{
    // a table is a folder of parts: steps-00000.parquet, steps-00003.parquet, ...
    foreach (string table in new[] { "steps", "evals", "predictions" })
        sql = sql.Replace($"FROM {table} ", $"FROM '{Path.Combine(run, table)}-*.parquet' ");
    using var duck = new DuckDBConnection("DataSource=:memory:");
    duck.Open();
    using var command = duck.CreateCommand();
    command.CommandText = sql;
    using var reader = command.ExecuteReader();
    Console.WriteLine($"-- {title}");
    Console.WriteLine(Line(reader.GetName));
    while (reader.Read())
        Console.WriteLine(Line(i => Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture)!));

    string Line(Func<int, string> cell) =>
        string.Join("  ", Enumerable.Range(0, reader.FieldCount).Select(i => $"{cell(i), -13}")).TrimEnd();
}
