using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using LutNative.Harness.Data;
using LutNative.Harness.Protocol;

namespace LutNative.Harness.Commands;

/// <summary>data index, check and stats: what a folder of images is, and whether it is whole.</summary>
internal static class DataCommand
{
    private static readonly Argument<string> Folder = new("folder") { Description = "A folder with train and val: image folders, tar shards or Parquet shards" };
    private static readonly Option<string> Split = new("--split") { Description = "train or val", DefaultValueFactory = _ => "train" };
    private static readonly Option<string?> Index = new("--index") { Description = "The index file, if not FOLDER/lut-index.SPLIT.tsv" };
    private static readonly Option<bool> Json = new("--json") { Description = "Print the result as one JSON object" };

    internal static Command Build()
    {
        var data = new Command("data", "Index, check and describe a folder of images. Example: lut data index /data/imagenet --split val");
        data.Subcommands.Add(Make("index", "Read every image once and write its SHA-256: the data_hash of a run", Make));
        data.Subcommands.Add(Make("check", "Read and decode every image, and hold it against the index; exit 6 when one fails", Check));
        data.Subcommands.Add(Make("stats", "Counts, classes, sizes and kinds of the images", Stats));
        var bench = Make("bench", "Images a second on one thread: decoding alone, and each pipeline of imagenet-lut-vitb16@1", Bench);
        bench.Options.Add(Seconds);
        data.Subcommands.Add(bench);
        return data;
    }

    private static readonly Option<double?> Seconds = Numbers.Double("--seconds", "Time for each pipeline (3 by default)", 1e-3, 86400);

    private static int Bench(ParseResult r)
    {
        var set = Open(r);
        var lut = ProtocolReader.Load("imagenet-lut-vitb16@1", []).Spec;
        Views views = new(lut, set), resized = new(ProtocolReader.Load("imagenet-mae-vitb16@1", []).Spec, set);
        var planes = new float[3 * lut.Data.ImageSize * lut.Data.ImageSize];
        var pipelines = new (string Name, Action<int, uint> Run)[]
        {
            ("decode", (i, _) => set.Read(i)), ("weak", (i, e) => views.Weak(i, e, 0, planes)), ("strong", (i, e) => views.Strong(i, e, 1, planes)), ("random_resized", (i, e) => resized.Weak(i, e, 0, planes)),
            ("train", (i, e) => views.Train(i, e, 11, planes)), ("eval", (i, _) => views.Plain(i, planes)),
        };
        var rates = pipelines.Select(p => (p.Name, Rate: Rate(p.Run, set.Count, r.GetValue(Seconds) ?? 3.0))).ToArray();
        if (r.GetValue(Json)) Output.Json(new { images = set.Count, pipelines = rates.Select(p => new { name = p.Name, images_per_second = p.Rate }), exit = 0 });
        else Output.Table(["pipeline", "images/s, one thread"], rates.Select(p => new[] { p.Name, p.Rate.ToString("f0", CultureInfo.InvariantCulture) }));
        return 0;
    }

    private static double Rate(Action<int, uint> run, int count, double seconds)
    {
        for (int i = 0; i < Math.Min(count, 8); i++) run(i, 0);
        long begin = Stopwatch.GetTimestamp(), n = 0;
        while (Stopwatch.GetElapsedTime(begin).TotalSeconds < seconds) run((int)(n % count), (uint)(n++ / count));
        return n / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private static Command Make(string name, string description, Func<ParseResult, int> run)
    {
        var command = new Command(name, $"{description}. Example: lut data {name} /data/imagenet --split val");
        command.Arguments.Add(Folder);
        foreach (Option o in new Option[] { Split, Index, Json }) command.Options.Add(o);
        command.SetAction(run);
        return command;
    }

    private static ImageSource Open(ParseResult r) => DataSets.Open(r.GetValue(Folder)!, r.GetValue(Split)!, Console.Error.WriteLine, r.GetValue(Index));

    private static int Make(ParseResult r)
    {
        var set = Open(r);
        if (r.GetValue(Json)) Output.Json(new { folder = r.GetValue(Folder), split = r.GetValue(Split), images = set.Count, classes = set.Labels.Distinct().Count(), data_hash = set.Sha256, exit = 0 });
        else Console.Out.WriteLine(FormattableString.Invariant($"{set.Count} images, {set.Labels.Distinct().Count()} classes, data_hash {set.Sha256}"));
        return 0;
    }

    private static int Check(ParseResult r)
    {
        var set = Open(r);
        var bad = Walk(set, (_, _) => { });
        if (r.GetValue(Json)) Output.Json(new { images = set.Count, refused = bad, exit = bad.Count == 0 ? 0 : (int)Exit.Data });
        else
        {
            foreach (string line in bad) Console.Out.WriteLine("refused: " + line);
            Console.Out.WriteLine(FormattableString.Invariant($"{set.Count - bad.Count} of {set.Count} images are whole, data_hash {set.Sha256}"));
        }
        return bad.Count == 0 ? 0 : (int)Exit.Data;
    }

    private static int Stats(ParseResult r)
    {
        var set = Open(r);
        int[] widths = new int[set.Count], heights = new int[set.Count];
        var bad = Walk(set, (i, p) => (widths[i], heights[i]) = (p.Width, p.Height));
        int[] perClass = [.. set.Labels.GroupBy(l => l).Select(g => g.Count()).Order()];
        var shorter = widths.Zip(heights, Math.Min).Where(s => s > 0).Order().ToArray();
        string F(double x) => x.ToString("n0", CultureInfo.InvariantCulture);
        if (r.GetValue(Json)) Output.Json(new { images = set.Count, classes = perClass.Length, class_least = perClass[0], class_most = perClass[^1], shorter_side_least = shorter.FirstOrDefault(), shorter_side_median = shorter.ElementAtOrDefault(shorter.Length / 2), shorter_side_most = shorter.LastOrDefault(), refused = bad.Count, data_hash = set.Sha256, exit = 0 });
        else
            Output.Table(["what", "value"],
            [
                ["images", F(set.Count)], ["classes", F(perClass.Length)], ["images a class", $"{F(perClass[0])} to {F(perClass[^1])}"],
                ["shorter side", shorter.Length == 0 ? "" : $"{F(shorter[0])} to {F(shorter[^1])} pixels, median {F(shorter[shorter.Length / 2])}"], ["refused", F(bad.Count)], ["data_hash", set.Sha256],
            ]);
        return 0;
    }

    /// <summary>Every image once, on all cores; returns what was refused, in order.</summary>
    private static List<string> Walk(ImageSource set, Action<int, Picture> each)
    {
        string?[] refused = new string?[set.Count];
        int done = 0;
        Parallel.For(0, set.Count, new ParallelOptions { MaxDegreeOfParallelism = set is EncodedImages encoded ? encoded.Readers : Environment.ProcessorCount }, i =>
        {
            try
            {
                each(i, set.Read(i));
            }
            catch (ImageException e)
            {
                refused[i] = e.Message;
            }
            if (Interlocked.Increment(ref done) is var n && n % 10_000 == 0) Console.Error.WriteLine(FormattableString.Invariant($"{n} of {set.Count}"));
        });
        return [.. refused.OfType<string>()];
    }
}
