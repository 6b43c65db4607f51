using System.CommandLine;
using LutNative.Harness.Errors;
using LutNative.Harness.Nightly;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Commands;

/// <param name="Bad">The first commit with other bits.</param>
/// <param name="Skipped">Commits that could not be run.</param>
internal sealed record BisectResult(
    string Verdict,
    string Bad,
    string Subject,
    string GoodDigest,
    string BadDigest,
    int Tried,
    IReadOnlyList<string> Skipped,
    Exit Exit
) : IVerbResult
{
    internal static BisectResult Of(Bisect.Result found) =>
        new(
            $"VERDICT bisect={found.Bad} tried={found.Tried.Text()} skipped={found.Skipped.Count.Text()} exit=0",
            found.Bad,
            found.Subject,
            found.GoodDigest,
            found.BadDigest,
            found.Tried,
            found.Skipped,
            Exit.Ok
        );

    internal static void Text(BisectResult found)
    {
        Output.Line($"first commit with other bits: {found.Bad} {found.Subject}");
        Output.Line($"before: {found.GoodDigest}");
        Output.Line($"from it on: {found.BadDigest}");
        Output.Lines(found.Skipped.Select(s => $"could not be run: {s}"));
        Output.Line(found.Verdict);
    }
}

/// <summary>bisect: which commit changed the bits.</summary>
internal static class BisectCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "bisect",
            "The first commit whose bits differ: one run a commit decides. Example: lut bisect --good v0.1.0 --bad HEAD"
        );
        var good = command.Option<string>("--good", "A commit with the right bits", required: true);
        var bad = command.Option("--bad", "A later one with others", "HEAD");
        var repository = command.Option("--repository", "The git checkout", ".");
        var run = command.Option(
            "--command",
            "Run by sh in each commit's checkout; what it prints is compared. By default hello@1's digests",
            Bisect.DefaultCommand
        );
        var quiet = command.Quiet();
        var json = command.Json();
        command.SetAction(r =>
        {
            var found = Bisect.Run(
                r.GetValue(repository)!,
                r.GetValue(good)!,
                r.GetValue(bad)!,
                r.GetValue(run)!,
                new Progress(r.GetValue(quiet)).Say
            );
            return Output.Print(BisectResult.Of(found), r.GetValue(json), BisectResult.Text);
        });
        return command;
    }
}
