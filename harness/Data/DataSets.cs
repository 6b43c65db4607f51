using LutNative.Harness.Protocol;

namespace LutNative.Harness.Data;

/// <summary>From a protocol's data section and a folder to images: which container a folder is, its index, and whether it is what the protocol means.</summary>
public static class DataSets
{
    public const string Fashion = "fashion-mnist", ImageNet = "imagenet-1k", Folder = "image-folder";

    /// <summary>Data sets that a protocol may name. image-folder is any other set of the user's, with its own counts.</summary>
    public static IReadOnlyList<string> Names { get; } = [Fashion, ImageNet, Folder];

    public static (ImageSource Train, ImageSource Test) Load(DataSpec spec, string? folder, Action<string>? say = null)
    {
        if (spec.Name == Fashion) return FashionMnist.Load(spec, folder);
        if (folder is null) throw new LutError(Exit.Data, 13, $"the protocol needs {spec.Name}", "--data", "its images are not in the repository", "pass --data FOLDER: train and val as image folders, WebDataset tar shards or Hugging Face Parquet shards (docs/DATA.md)");
        var train = Open(folder, "train", say);
        var test = Open(folder, "val", say);
        // the same numbers must mean the same classes in both
        if (train is EncodedImages { Classes: { } a } && test is EncodedImages { Classes: { } b } && !a.SequenceEqual(b))
            throw new LutError(Exit.Data, 22, FormattableString.Invariant($"train and val have different classes: {a.Except(b).Count()} folders only in train{Example(a.Except(b))}, {b.Except(a).Count()} only in val{Example(b.Except(a))}"), Path.GetFullPath(folder), "labels are the places of the folders' names in order, so every later class would have another number", "give val the same folders as train; the flat validation archive has to be sorted into them first");
        Require(train, spec.TrainImages, spec.Classes, folder, "train");
        Require(test, spec.TestImages, spec.Classes, folder, "val");
        return (train, test);
    }

    /// <summary>A split with its index, which is made when it is missing or stale.</summary>
    public static ImageSource Open(string folder, string split, Action<string>? say = null, string? indexPath = null)
    {
        if (Idx(folder, split) is { } gray) return gray;
        var container = Container(folder, split);
        string path = indexPath ?? Path.Combine(folder, $"lut-index.{split}.tsv");
        string why = "there is none yet";
        if (File.Exists(path) && ImageIndex.Read(path, container.Places, out why) is { } known) return new EncodedImages(container, known);
        say?.Invoke(FormattableString.Invariant($"indexing {container.Places.Count} images of {split} ({container.Kind}): {why}"));
        var index = ImageIndex.Build(container, n => say?.Invoke(FormattableString.Invariant($"indexing {split}: {n} of {container.Places.Count}")));
        try
        {
            index.Write(path);
            say?.Invoke($"index written to {path}");
        }
        catch (Exception e) when ((e is IOException or UnauthorizedAccessException) && indexPath is null)
        {
            say?.Invoke($"the index cannot be kept in {path} ({e.Message}): it will be made again next time; `lut data index FOLDER --index FILE` writes it elsewhere");
        }
        return new EncodedImages(container, index);
    }

    /// <summary>FOLDER/train with folders inside; or *.tar or *.parquet whose names hold the split, in FOLDER, FOLDER/split or FOLDER/data.</summary>
    public static IContainer Container(string folder, string split)
    {
        if (!Directory.Exists(folder)) throw new LutError(Exit.Data, 4, $"there is no folder {folder}", Path.GetFullPath(folder), "--data names a folder with images", "check the path");
        string inner = Path.Combine(folder, split);
        if (Directory.Exists(inner) && Directory.GetDirectories(inner).Length > 0) return new ImageFolder(inner);
        string[] names = split == "val" ? ["val", "validation", "test"] : [split];
        foreach (string root in new[] { inner, folder, Path.Combine(folder, "data") }.Where(Directory.Exists))
            foreach (string extension in new[] { ".tar", ".parquet" })
            {
                string[] files = [.. Directory.GetFiles(root, "*" + extension).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];
                // in a folder of its own every shard belongs to the split; elsewhere its name says so, the first word that fits
                string[] shards = root == inner ? files : names.Select(n => files.Where(f => f.Contains(n, StringComparison.OrdinalIgnoreCase)).ToArray()).FirstOrDefault(f => f.Length > 0) ?? [];
                if (shards.Length > 0) return extension == ".tar" ? new TarShards(root, shards) : new ParquetShards(root, shards);
            }
        throw new LutError(Exit.Data, 14, $"there are no {split} images in {folder}", Path.GetFullPath(folder), $"looked for folders of classes in {split}, and for .tar and .parquet shards named after {string.Join(", ", names)}", "see docs/DATA.md for the layouts");
    }

    private static string Example(IEnumerable<string> names) => names.FirstOrDefault() is { } first ? $" (first {first})" : "";

    private static GrayImages? Idx(string folder, string split)
    {
        string stem = Path.Combine(folder, split == "train" ? "train" : "t10k");
        return File.Exists(stem + "-images-idx3-ubyte") || File.Exists(stem + "-images-idx3-ubyte.gz") ? Data.Idx.Read(stem + "-images-idx3-ubyte", stem + "-labels-idx1-ubyte") : null;
    }

    /// <summary>Counts and classes are part of what a protocol means: a wrong validation set gives a number that looks right.</summary>
    private static void Require(ImageSource set, int count, int classes, string folder, string split)
    {
        if (set.Count != count) throw new LutError(Exit.Data, 15, FormattableString.Invariant($"{split} has {set.Count} images, the protocol needs {count}"), Path.GetFullPath(folder), "every image counts, once an epoch or once an evaluation", "complete the set, or say --set data.train_images=... or data.test_images=... (the run is then marked +modified)");
        int most = set.Labels.Max(), used = set.Labels.Distinct().Count();
        if (most >= classes || (split == "train" && used != classes)) throw new LutError(Exit.Data, 16, FormattableString.Invariant($"{split} has {used} classes up to label {most}, the protocol needs {classes}"), Path.GetFullPath(folder), "another set of classes, or another mapping to numbers, makes every accuracy meaningless", "check the folder; --set data.classes=... for a set of your own");
    }
}
