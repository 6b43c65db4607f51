using System.CommandLine;
using LutNative.Harness.Images;
using LutNative.Harness.Images.Jpeg;

namespace LutNative.Harness.Commands;

/// <summary>What every verb below `lut data` takes: a split of a folder of images.</summary>
internal sealed class ImageSetOptions(Command command)
{
    private readonly Argument<string> folder = command.Argument<string>(
        "folder",
        "A folder with train and val: image folders, tar shards or Parquet shards"
    );
    private readonly Option<string> split = command.Option("--split", "train or val", "train");
    private readonly Option<string?> index = command.Option<string?>(
        "--index",
        "The index: a file, or a folder for lut-index.SPLIT.tsv; by default in FOLDER, or in ~/.cache/lut "
            + "where that cannot be written"
    );

    public Option<bool> Json { get; } = command.Json();

    public string Folder(ParseResult r) => r.GetValue(folder)!;

    public string Split(ParseResult r) => r.GetValue(split)!;

    /// <summary>Reads or writes the index; progress goes to standard error.</summary>
    public ImageSource Open(ParseResult r) =>
        DataSets.Open(Folder(r), Split(r), Console.Error.WriteLine, r.GetValue(index));

    /// <summary>A verb below `lut data`.</summary>
    internal static Command Verb(string name, string description) =>
        new(name, $"{description}. Example: lut data {name} /data/imagenet --split val");

    /// <summary>Every image once, on all cores; returns what was refused, in order.</summary>
    internal static IReadOnlyList<string> Walk(ImageSource set, string doing, Action<int, EncodedImages?> each)
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

    /// <summary>
    /// Decodes an image, and looks into a JPEG's data for what libjpeg warns about and fills with gray. Runs do not:
    /// sets that everybody trains on have such images.
    /// </summary>
    internal static (byte[] Bytes, Picture Picture) Whole(EncodedImages set, int i)
    {
        byte[] bytes = set.Bytes(i);
        string name = set.NameOf(i);
        var picture = Decoder.Decode(bytes, name);
        if (EntropyCheck.IsJpeg(bytes) && EntropyCheck.Problem(bytes) is { } problem)
            throw new ImageException(name, "it is damaged: " + problem);
        return (bytes, picture);
    }
}
