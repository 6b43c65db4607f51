using System.CommandLine;
using LutNative.Harness.Errors;
using LutNative.Harness.Images;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Commands;

/// <param name="DataHash">SHA-256 over the index: a run's data_hash is made of those of its two sets.</param>
internal sealed record DataIndexResult(string Folder, string Split, int Images, int Classes, string DataHash, Exit Exit)
    : IVerbResult
{
    internal static void Text(DataIndexResult found) =>
        Output.Line(
            FormattableString.Invariant($"{found.Images} images, {found.Classes} classes, data_hash {found.DataHash}")
        );
}

/// <param name="Refused">Why each image that cannot be used is refused.</param>
internal sealed record DataCheckResult(int Images, IReadOnlyList<string> Refused, Exit Exit) : IVerbResult
{
    internal required string DataHash { get; init; }

    internal static void Text(DataCheckResult found)
    {
        Output.Lines(found.Refused.Select(r => "refused: " + r));
        Output.Line(
            FormattableString.Invariant(
                $"{found.Images - found.Refused.Count} of {found.Images} images are whole, data_hash {found.DataHash}"
            )
        );
    }
}

/// <summary>data: what a folder of images is, and whether it is whole.</summary>
internal static class DataCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "data",
            "Index, check and describe a folder of images. Example: lut data index /data/imagenet --split val"
        );
        command.Subcommands.Add(BuildIndex());
        command.Subcommands.Add(BuildCheck());
        command.Subcommands.Add(DataStatsCommand.Build());
        command.Subcommands.Add(DataBenchCommand.Build());
        return command;
    }

    private static Command BuildIndex()
    {
        var command = ImageSetOptions.Verb(
            "index",
            "Read every image once and write its SHA-256: the data_hash of a run"
        );
        var options = new ImageSetOptions(command);
        command.SetAction(r =>
            Output.Print(
                Index(options.Folder(r), options.Split(r), options.Open(r)),
                r.GetValue(options.Json),
                DataIndexResult.Text
            )
        );
        return command;
    }

    private static DataIndexResult Index(string folder, string split, ImageSource set) =>
        new(folder, split, set.Count, set.Labels.Distinct().Count(), set.Sha256, Exit.Ok);

    private static Command BuildCheck()
    {
        var command = ImageSetOptions.Verb(
            "check",
            "Read and decode every image, and hold it against the index; exit 6 when one fails"
        );
        var options = new ImageSetOptions(command);
        command.SetAction(r => Output.Print(Check(options.Open(r)), r.GetValue(options.Json), DataCheckResult.Text));
        return command;
    }

    private static DataCheckResult Check(ImageSource set)
    {
        var refused = ImageSetOptions.Walk(
            set,
            "checking",
            (i, encoded) =>
            {
                if (encoded is null)
                    set.Read(i);
                else
                    ImageSetOptions.Whole(encoded, i);
            }
        );
        var exit = refused.Count == 0 ? Exit.Ok : Exit.Data;
        return new DataCheckResult(set.Count, refused, exit) { DataHash = set.Sha256 };
    }
}
