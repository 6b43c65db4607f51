using System.CommandLine;
using LutNative.Harness.Errors;
using LutNative.Harness.Images;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Commands;

/// <summary>What a set of images consists of. Sides are in pixels.</summary>
/// <param name="ClassLeast">Images of the smallest class.</param>
/// <param name="ClassNames">In the order of the labels; null where classes are numbers.</param>
/// <param name="Mean">Of red, green and blue, in [0, 1], as a protocol's normalisation takes it.</param>
internal sealed record DataStatsResult(
    int Images,
    int Classes,
    int ClassLeast,
    int ClassMost,
    IReadOnlyList<string>? ClassNames,
    IReadOnlyDictionary<string, int> Kinds,
    int ShorterSideLeast,
    int ShorterSideMedian,
    int ShorterSideMost,
    int WidthLeast,
    int WidthMedian,
    int WidthMost,
    int HeightLeast,
    int HeightMedian,
    int HeightMost,
    IReadOnlyList<double> Mean,
    IReadOnlyList<double> Deviation,
    int Refused,
    IReadOnlyList<string> RefusedImages,
    string DataHash,
    Exit Exit
) : IVerbResult
{
    internal static void Text(DataStatsResult found)
    {
        string names = found.ClassNames is { } known ? ", first " + Shown.Name(known[0]) : ", numbers";
        Output.Table(
            ["what", "value"],
            [
                ["images", found.Images.Text("n0")],
                ["classes", found.Classes.Text("n0") + names],
                ["images a class", $"{found.ClassLeast.Text("n0")} to {found.ClassMost.Text("n0")}"],
                .. found.Kinds.Select(k => new[] { k.Key, k.Value.Text("n0") }),
                ["width", Side(found.WidthLeast, found.WidthMedian, found.WidthMost)],
                ["height", Side(found.HeightLeast, found.HeightMedian, found.HeightMost)],
                ["shorter side", Side(found.ShorterSideLeast, found.ShorterSideMedian, found.ShorterSideMost)],
                ["mean", Channels(found.Mean)],
                ["deviation", Channels(found.Deviation)],
                ["refused", found.Refused.Text("n0")],
                ["data_hash", found.DataHash],
            ]
        );
        Output.Lines(found.RefusedImages.Select(r => "refused: " + r));
    }

    private static string Side(int least, int median, int most) =>
        $"{least.Text("n0")} to {most.Text("n0")} pixels, median {median.Text("n0")}";

    private static string Channels(IReadOnlyList<double> c) => string.Join(" ", c.Select(x => x.Text("f6")));
}

/// <summary>data stats: counts, classes, kinds, sizes and colours of a set of images.</summary>
internal static class DataStatsCommand
{
    internal static Command Build()
    {
        var command = ImageSetOptions.Verb(
            "stats",
            "Counts, classes, kinds, sizes, the pixels' mean and deviation, and what is refused"
        );
        var options = new ImageSetOptions(command);
        command.SetAction(r => Output.Print(Describe(options.Open(r)), r.GetValue(options.Json), DataStatsResult.Text));
        return command;
    }

    private static DataStatsResult Describe(ImageSource set)
    {
        var stats = new ImageStats();
        var refused = ImageSetOptions.Walk(
            set,
            "reading",
            (i, encoded) =>
            {
                if (encoded is null)
                {
                    stats.Add("IDX gray", set.Read(i));
                    return;
                }
                var (bytes, picture) = ImageSetOptions.Whole(encoded, i);
                stats.Add(ImageStats.KindOf(bytes), picture);
            }
        );
        int[] perClass = [.. set.Labels.GroupBy(l => l).Select(g => g.Count()).Order()];
        var shorter = stats.Of(s => Math.Min(s.Width, s.Height));
        var width = stats.Of(s => s.Width);
        var height = stats.Of(s => s.Height);
        return new DataStatsResult(
            set.Count,
            perClass.Length,
            perClass[0],
            perClass[^1],
            (set as EncodedImages)?.Classes,
            stats.Kinds,
            shorter.Least,
            shorter.Median,
            shorter.Most,
            width.Least,
            width.Median,
            width.Most,
            height.Least,
            height.Median,
            height.Most,
            stats.Mean,
            stats.Deviation,
            refused.Count,
            refused,
            set.Sha256,
            Exit.Ok
        );
    }
}
