using System.CommandLine;
using System.Text.Json;
using LutNative.Harness.Commands;

namespace LutNative.Harness.Tests.Errors;

/// <summary>With --json an error is an object on standard output too; standard error and the exit code stay.</summary>
public sealed class ErrorJsonTests
{
    private static readonly string[] Names = ["id", "what", "where", "why", "fix", "exit"];

    [Theory]
    [InlineData("show /nowhere", "LUT8002")]
    [InlineData("show --jsn", "LUT2000")]
    [InlineData("data check /nowhere", "LUT6004")]
    [InlineData("run hello@1 --set pretrain.epochs=x --set seed=-1", "LUT2003")]
    public void AnErrorIsAnObjectToo(string line, string id)
    {
        string[] words = line.Split(' ');
        var plain = Cli.Lut.Run(words);
        var told = Cli.Lut.Run([.. words, "--json"]);
        Assert.Empty(plain.Out);
        Assert.Equal(plain.Exit, told.Exit);
        using var json = JsonDocument.Parse(told.Out);
        var error = json.RootElement;
        Assert.Equal(Names, error.EnumerateObject().Select(p => p.Name));
        string Text(string name) => error.GetProperty(name).GetString()!;
        Assert.Equal(id, Text("id"));
        Assert.Equal(told.Exit, error.GetProperty("exit").GetInt32());
        string where = string.Join(
            "\n         ",
            error.GetProperty("where").EnumerateArray().Select(w => w.GetString())
        );
        Assert.Equal(
            $"error {id}: {Text("what")}\n  where: {where}\n  why:   {Text("why")}\n  fix:   {Text("fix")}\n",
            told.Error
        );
        if (id != "LUT2000") // whose place is the line itself
            Assert.Equal(plain.Error, told.Error);
    }

    [Fact]
    public void EveryVerbThatHasJsonHasItsErrorsInJson()
    {
        var verbs = Leaves(Verbs.Root(default), []).Where(v => v.Command.Options.Any(o => o.Name == "--json")).ToList();
        Assert.True(verbs.Count > 15);
        foreach (var (_, words) in verbs)
        {
            string[] line = [.. words, "--json", "--no-such-option"];
            var parsed = Verbs.Root(default).Parse(line);
            Assert.NotNull(CommandLineError.Of(parsed, line));
            Assert.True(CommandLineError.AsksForJson(parsed), string.Join(' ', line));
            Assert.False(CommandLineError.AsksForJson(Verbs.Root(default).Parse(words)), string.Join(' ', words));
        }
    }

    private static IEnumerable<(Command Command, string[] Words)> Leaves(Command command, string[] words) =>
        command.Subcommands.Count == 0
            ? [(command, words)]
            : command.Subcommands.SelectMany(c => Leaves(c, [.. words, c.Name]));
}
