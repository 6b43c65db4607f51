using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Tests;

/// <summary>What verbs print as JSON is declared as types, and printed in one place.</summary>
public sealed class VerbResultTests
{
    private static Type[] Results() =>
        [.. typeof(IVerbResult).Assembly.GetTypes().Where(t => t.IsClass && t.IsAssignableTo(typeof(IVerbResult)))];

    [Fact]
    public void ResultsAreSealedRecords()
    {
        Assert.InRange(Results().Length, 20, 100);
        Assert.All(
            Results(),
            t => Assert.True(t.IsSealed && t.GetMethod("<Clone>$") is not null, t.Name + " is no sealed record")
        );
    }

    /// <summary>Scripts read it: how the verb ended stands at the end, under one name, as a number.</summary>
    [Fact]
    public void TheExitCodeIsTheLastField()
    {
        var with = Results().Where(t => t.GetProperty("Exit") is not null).ToList();
        Assert.InRange(with.Count, 15, 100);
        Assert.All(
            with,
            t =>
            {
                var fields = t.GetProperties(BindingFlags.Public | BindingFlags.Instance);
                Assert.Equal("Exit", fields[^1].Name);
                Assert.Equal(typeof(Exit), fields[^1].PropertyType);
            }
        );
    }

    /// <summary>Names come from the properties alone, all the way down, so that the types are the schema.</summary>
    [Fact]
    public void NoFieldHasANameOfItsOwn()
    {
        var seen = new HashSet<Type>();
        var left = new Queue<Type>(Results());
        while (left.TryDequeue(out var type))
        {
            if (!seen.Add(type) || type.Namespace?.StartsWith("LutNative", StringComparison.Ordinal) != true)
                continue;
            foreach (var field in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            {
                Assert.NotEqual(typeof(object), field.PropertyType);
                Assert.Null(field.GetCustomAttribute<JsonPropertyNameAttribute>());
                Assert.Matches("^[a-z][a-z0-9_]*$", JsonNamingPolicy.SnakeCaseLower.ConvertName(field.Name));
                left.Enqueue(field.PropertyType);
                foreach (var inner in field.PropertyType.GetGenericArguments())
                    left.Enqueue(inner);
            }
        }
        Assert.True(seen.Count > 30);
    }

    /// <summary>A verb states its result once: nothing but Output makes JSON of one, and no object is anonymous.</summary>
    [Fact]
    public void VerbsMakeNoJsonThemselves()
    {
        var serialising = Directory
            .GetFiles(Path.Combine(Repository.Root, "harness", "Commands"), "*.cs")
            .Where(f => Path.GetFileName(f) is not ("TableText.cs" or "BenchCommand.cs"))
            .Where(f => Regex.IsMatch(File.ReadAllText(f), @"JsonSerializer|Utf8JsonWriter|\bnew\s*\{"))
            .Select(Path.GetFileName);
        Assert.Empty(serialising);
    }
}
