using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Harness.Images;
using LutNative.Harness.Images.Jpeg;
using LutNative.Harness.Protocol;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Commands;

/// <summary>data index, check and stats: what a folder of images is, and whether it is whole.</summary>
internal static class DataCommand
{
    private static readonly Argument<string> Folder = new("folder")
    {
        Description = "A folder with train and val: image folders, tar " + "shards or Parquet shards",
    };
    private static readonly Option<string> Split = new("--split")
    {
        Description = "train or val",
        DefaultValueFactory = _ => "train",
    };
    private static readonly Option<string?> Index = new("--index")
    {
        Description =
            "The index: a file, or a folder for "
            + "lut-index.SPLIT.tsv; by default in FOLDER, or in ~/.cache/lut where that cannot be written",
    };
    private static readonly Option<bool> Json = new("--json") { Description = "Print the result as one JSON object" };

    internal static Command Build()
    {
        var data = new Command(
            "data",
            "Index, check and describe a folder of images. Example: lut data index /data/imagenet --split val"
        );
        data.Subcommands.Add(
            Make("index", "Read every image once and write its SHA-256: the data_hash of a run", Make)
        );
        data.Subcommands.Add(
            Make("check", "Read and decode every image, and hold it against the index; exit 6 when one fails", Check)
        );
        data.Subcommands.Add(
            Make("stats", "Counts, classes, kinds, sizes, the pixels' mean and deviation, and what is refused", Stats)
        );
        var bench = Make(
            "bench",
            "Images a second on one thread: decoding alone, and each pipeline of imagenet-lut-vitb16@1",
            Bench
        );
        bench.Options.Add(Seconds);
        data.Subcommands.Add(bench);
        return data;
    }

    private static readonly Option<double?> Seconds = Numbers.Double(
        "--seconds",
        "Time for each pipeline (3 by default)",
        1e-3,
        86400
    );

    private static int Bench(ParseResult r)
    {
        var set = Open(r);
        var lut = ProtocolReader.Load("imagenet-lut-vitb16@1", []).Spec;
        Views views = new(lut, set);
        Views resized = new(ProtocolReader.Load("imagenet-mae-vitb16@1", []).Spec, set);
        var planes = new float[3 * lut.Data.ImageSize * lut.Data.ImageSize];
        var pipelines = new (string Name, Action<int, uint> Run)[]
        {
            ("decode", (i, _) => set.Read(i)),
            ("weak", (i, e) => views.Weak(i, e, 0, planes)),
            ("strong", (i, e) => views.Strong(i, e, 1, planes)),
            ("random_resized", (i, e) => resized.Weak(i, e, 0, planes)),
            ("train", (i, e) => views.Train(i, e, 11, planes)),
            ("eval", (i, _) => views.Plain(i, planes)),
        };
        var rates = pipelines.Select(p => (p.Name, Rate: Rate(p.Run, set.Count, r.GetValue(Seconds) ?? 3.0))).ToArray();
        if (r.GetValue(Json))
            Output.Json(
                new
                {
                    images = set.Count,
                    pipelines = rates.Select(p => new { name = p.Name, images_per_second = p.Rate }),
                    exit = 0,
                }
            );
        else
            Output.Table(
                ["pipeline", "images/s, one thread"],
                rates.Select(p => new[] { p.Name, p.Rate.ToString("f0", CultureInfo.InvariantCulture) })
            );
        return 0;
    }

    private static double Rate(Action<int, uint> run, int count, double seconds)
    {
        for (int i = 0; i < Math.Min(count, 8); i++)
            run(i, 0);
        long begin = Stopwatch.GetTimestamp();
        long n = 0;
        while (Stopwatch.GetElapsedTime(begin).TotalSeconds < seconds)
            run((int)(n % count), (uint)(n++ / count));
        return n / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private static Command Make(string name, string description, Func<ParseResult, int> run)
    {
        var command = new Command(name, $"{description}. Example: lut data {name} /data/imagenet --split val");
        command.Arguments.Add(Folder);
        foreach (Option o in new Option[] { Split, Index, Json })
            command.Options.Add(o);
        command.SetAction(run);
        return command;
    }

    private static ImageSource Open(ParseResult r) =>
        DataSets.Open(r.GetValue(Folder)!, r.GetValue(Split)!, Console.Error.WriteLine, r.GetValue(Index));

    private static int Make(ParseResult r)
    {
        var set = Open(r);
        if (r.GetValue(Json))
            Output.Json(
                new
                {
                    folder = r.GetValue(Folder),
                    split = r.GetValue(Split),
                    images = set.Count,
                    classes = set.Labels.Distinct().Count(),
                    data_hash = set.Sha256,
                    exit = 0,
                }
            );
        else
            Console.Out.WriteLine(
                FormattableString.Invariant(
                    $"{set.Count} images, {set.Labels.Distinct().Count()} classes, data_hash {set.Sha256}"
                )
            );
        return 0;
    }

    private static int Check(ParseResult r)
    {
        var set = Open(r);
        var bad = Walk(
            set,
            "checking",
            (i, encoded) =>
            {
                if (encoded is null)
                    set.Read(i);
                else
                    Whole(encoded, i);
            }
        );
        if (r.GetValue(Json))
            Output.Json(
                new
                {
                    images = set.Count,
                    refused = bad,
                    exit = bad.Count == 0 ? 0 : (int)Exit.Data,
                }
            );
        else
        {
            foreach (string line in bad)
                Console.Out.WriteLine("refused: " + line);
            Console.Out.WriteLine(
                FormattableString.Invariant(
                    $"{set.Count - bad.Count} of {set.Count} images are whole, data_hash {set.Sha256}"
                )
            );
        }
        return bad.Count == 0 ? 0 : (int)Exit.Data;
    }

    /// <summary>
    /// Decodes an image, and looks into a JPEG's data for what libjpeg warns about and fills with gray. Runs do not:
    /// sets that everybody trains on have such images.
    /// </summary>
    private static (byte[] Bytes, Picture Picture) Whole(EncodedImages set, int i)
    {
        byte[] bytes = set.Bytes(i);
        string name = set.NameOf(i);
        var picture = Decoder.Decode(bytes, name);
        if (EntropyCheck.IsJpeg(bytes) && EntropyCheck.Problem(bytes) is { } problem)
            throw new ImageException(name, "it is damaged: " + problem);
        return (bytes, picture);
    }

    private static int Stats(ParseResult r)
    {
        var set = Open(r);
        var stats = new ImageStats();
        var bad = Walk(
            set,
            "reading",
            (i, encoded) =>
            {
                if (encoded is null)
                {
                    stats.Add("IDX gray", set.Read(i));
                    return;
                }
                var (bytes, picture) = Whole(encoded, i);
                stats.Add(ImageStats.KindOf(bytes), picture);
            }
        );
        int[] perClass = [.. set.Labels.GroupBy(l => l).Select(g => g.Count()).Order()];
        var names = set is EncodedImages { Classes: { } known } ? known : null;
        var (shorter, width, height) = (
            stats.Of(s => Math.Min(s.Width, s.Height)),
            stats.Of(s => s.Width),
            stats.Of(s => s.Height)
        );
        if (r.GetValue(Json))
            Output.Json(
                new
                {
                    images = set.Count,
                    classes = perClass.Length,
                    class_least = perClass[0],
                    class_most = perClass[^1],
                    class_names = names,
                    kinds = stats.Kinds,
                    shorter_side_least = shorter.Least,
                    shorter_side_median = shorter.Median,
                    shorter_side_most = shorter.Most,
                    width_least = width.Least,
                    width_median = width.Median,
                    width_most = width.Most,
                    height_least = height.Least,
                    height_median = height.Median,
                    height_most = height.Most,
                    mean = stats.Mean,
                    deviation = stats.Deviation,
                    refused = bad.Count,
                    refused_images = bad,
                    data_hash = set.Sha256,
                    exit = 0,
                }
            );
        else
        {
            Output.Table(
                ["what", "value"],
                [
                    ["images", Whole(set.Count)],
                    [
                        "classes",
                        $"{Whole(perClass.Length)}{(names is null ? ", numbers" : ", first " + Shown.Name(names[0]))}",
                    ],
                    ["images a class", $"{Whole(perClass[0])} to {Whole(perClass[^1])}"],
                    .. stats.Kinds.Select(k => new[] { k.Key, Whole(k.Value) }),
                    ["width", Side(width)],
                    ["height", Side(height)],
                    ["shorter side", Side(shorter)],
                    ["mean", Channels(stats.Mean)],
                    ["deviation", Channels(stats.Deviation)],
                    ["refused", Whole(bad.Count)],
                    ["data_hash", set.Sha256],
                ]
            );
            foreach (string line in bad)
                Console.Out.WriteLine("refused: " + line);
        }
        return 0;
    }

    private static string Whole(int n) => n.ToString("n0", CultureInfo.InvariantCulture);

    private static string Side((int Least, int Median, int Most) s) =>
        $"{Whole(s.Least)} to {Whole(s.Most)} pixels, median {Whole(s.Median)}";

    private static string Channels(double[] c) =>
        string.Join(" ", c.Select(x => x.ToString("f6", CultureInfo.InvariantCulture)));

    /// <summary>Every image once, on all cores; returns what was refused, in order.</summary>
    private static List<string> Walk(ImageSource set, string doing, Action<int, EncodedImages?> each)
    {
        string?[] refused = new string?[set.Count];
        var encoded = set as EncodedImages;
        var work = new LongWork(doing, set.Count, Console.Error.WriteLine);
        Parallel.For(
            0,
            set.Count,
            new ParallelOptions { MaxDegreeOfParallelism = encoded?.Readers ?? Environment.ProcessorCount },
            i =>
            {
                try
                {
                    each(i, encoded);
                }
                catch (ImageException e)
                {
                    refused[i] = e.Message;
                }
                work.One();
            }
        );
        return [.. refused.OfType<string>()];
    }
}
