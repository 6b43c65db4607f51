using System.Runtime.CompilerServices;
using LutNative.Results;

namespace LutNative.Harness.Tests;

/// <summary>A row of any table for tests that care about a few of its values: `with` them.</summary>
internal static class PlainRow
{
    /// <param name="text">Of every text; numbers are one, bytes are 32.</param>
    internal static TRow Of<TRow>(string text)
        where TRow : class, IRow
    {
        var row = (TRow)RuntimeHelpers.GetUninitializedObject(typeof(TRow));
        foreach (var column in new Table<TRow>().Schema.Columns)
        {
            var property = typeof(TRow).GetProperty(column.Property)!;
            property.SetValue(row, Value(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType));
        }
        return row;

        object Value(Type type) =>
            type switch
            {
                var t when t == typeof(RunId) => new RunId(text),
                var t when t == typeof(string) => text,
                var t when t == typeof(byte[]) => new byte[32],
                var t when t == typeof(DigestBytes) => new DigestBytes(new byte[32]),
                var t when t == typeof(Bits32) => new Bits32(1),
                var t when t == typeof(Bits64) => new Bits64(1),
                var t when t == typeof(DateTime) => DateTime.UtcNow,
                var t when t == typeof(bool) => false,
                _ => Convert.ChangeType(1, type, null),
            };
    }
}
