using System.Text;

namespace LutNative.Results.Tests;

public class SchemaDocumentTests
{
    /// <summary>results/SCHEMA.md is made from the rows' records; LUT_UPDATE_DOCS=1 writes it.</summary>
    [Fact]
    public void TheDocumentIsTheSchema()
    {
        var text = new StringBuilder();
        text.Append($"# Tables of a run, schema {Schema.Major}.{Schema.Minor}\n");
        text.Append(
            "Made from Schema.cs (a test compares). Columns marked * take part in exact comparison and in "
                + "the content hash; ? may be null, which means not measured. Parts are named "
                + "TABLE-NNNNN.parquet; read them with a glob. "
        );
        text.Append(
            "Every file's key/value metadata has lut.table, lut.schema_version, lut.run_id, lut.protocol, "
                + "lut.math_hash, lut.data_hash, lut.writer, lut.parquet_writer, lut.rowcount, "
                + "lut.content_sha256, lut.rows_sha256 (since 1.3): a reader checks the last three.\n"
        );
        foreach (var table in Schema.All)
        {
            text.Append(
                $"\n## {table.Name}{(table.Since > 0 ? $" (since 1.{table.Since})" : "")}\n| column | type "
                    + "| meaning |\n| --- | --- | --- |\n"
            );
            foreach (var c in table.Columns)
                text.Append(
                    $"| {c.Name}{(c.Exact ? "*" : "")}{(c.Nullable ? "?" : "")} | {c.Type} | {c.Meaning}{(c.Since > 0 ? $" (since 1.{c.Since})" : "")} "
                        + "|\n"
                );
        }
        string path = Path.Combine(Repository.Root, "results", "SCHEMA.md");
        if (Environment.GetEnvironmentVariable("LUT_UPDATE_DOCS") == "1")
            File.WriteAllText(path, text.ToString());
        Assert.Equal(text.ToString(), File.ReadAllText(path).ReplaceLineEndings("\n"));
    }
}
