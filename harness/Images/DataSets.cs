using LutNative.Harness.Errors;
using LutNative.Harness.Protocol;

namespace LutNative.Harness.Images;

/// <summary>From a protocol's data section and a folder to images: which container a folder is, its index, and whether
/// it is what the protocol means.</summary>
public static class DataSets
{
    private const int MostNotes = 20;

    /// <param name="say">
    /// What is not used, and that images are being indexed: worth a line even where progress is not wanted.
    /// </param>
    /// <param name="index">
    /// Folder for the indexes of both splits; null for the usual places (<see cref="IndexPlaces"/>).
    /// </param>
    public static (ImageSource Train, ImageSource Test) Load(
        DataSpec spec,
        string? folder,
        Action<string>? say = null,
        string? index = null
    )
    {
        if (spec.Name == DataSetNames.Fashion)
            return FashionMnist.Load(spec, folder);
        string root = Needed(spec, folder);
        index = IndexPlaces.FolderOf(index);
        var train = Open(root, "train", say, index);
        var test = Open(root, "val", say, index);
        // the same numbers must mean the same classes in both
        if (train is EncodedImages { Classes: { } a } && test is EncodedImages { Classes: { } b })
            RequireSame(a, b, root);
        Require(train, spec.TrainImages, spec.Classes, root, "train");
        Require(test, spec.TestImages, spec.Classes, root, "val");
        return (train, test);
    }

    /// <summary>
    /// The validation images alone, checked as <see cref="Load"/> does; training images may be there or not.
    /// </summary>
    public static ImageSource LoadTest(DataSpec spec, string? folder, Action<string>? say = null, string? index = null)
    {
        if (spec.Name == DataSetNames.Fashion)
            return FashionMnist.LoadTest(spec, folder);
        string root = Needed(spec, folder);
        var test = Open(root, "val", say, IndexPlaces.FolderOf(index));
        if (test is EncodedImages { Classes: { } classes })
        {
            string train = Path.Combine(root, "train");
            if (Directory.Exists(train) && new FolderWalk(train).Classes() is { Length: > 0 } trained)
                RequireSame(trained, classes, root);
            else if (classes.Count != spec.Classes)
                throw DataSetErrors.ValLacksClasses(classes.Count, spec.Classes, root);
        }
        Require(test, spec.TestImages, spec.Classes, root, "val");
        return test;
    }

    /// <summary>A split with its index, which is made when it is missing or stale.</summary>
    /// <param name="index">A file, or a folder for it; null for the usual places.</param>
    public static ImageSource Open(string folder, string split, Action<string>? say = null, string? index = null)
    {
        if (Idx(folder, split) is { } gray)
            return gray;
        var container = Container(folder, split, say);
        if (container.Places.Count == 0)
            throw DataSetErrors.NoImage(
                split,
                folder,
                string.Join("; ", container.Notes.DefaultIfEmpty($"its {container.Kind} are empty")),
                "restore the images (docs/DATA.md says which layouts are read)"
            );
        foreach (string note in container.Notes.Take(MostNotes))
            say?.Invoke($"{split}: {note}");
        if (container.Notes.Count > MostNotes)
            say?.Invoke(
                FormattableString.Invariant($"{split}: and {container.Notes.Count - MostNotes} more such lines")
            );
        string[] places = IndexPlaces.Of(folder, split, index);
        string why = "there is none yet";
        foreach (string place in places.Where(p => FileKind.Of(p).Type != FileType.Missing))
            if (ImageIndex.Read(place, container.Places, out why) is { } known)
                return new EncodedImages(container, known);
        if (index is not null)
            IndexPlaces.RequireWritable(places[0]);
        say?.Invoke(
            FormattableString.Invariant(
                $"indexing {container.Places.Count} images of {split} ({container.Kind}): {why}"
            )
        );
        var made = ImageIndex.Build(container, new LongWork($"indexing {split}", container.Places.Count, say).One);
        IndexPlaces.Keep(made, places, asked: index is not null, say);
        return new EncodedImages(container, made);
    }

    /// <summary>FOLDER/train with folders inside; or *.tar or *.parquet of the split (<see cref="Splits"/>), in
    /// FOLDER/split, FOLDER or FOLDER/data.</summary>
    /// <exception cref="LutError">No such folder, no images in it, or images that are refused.</exception>
    public static IContainer Container(string folder, string split, Action<string>? say = null)
    {
        if (!Directory.Exists(folder))
            throw DataSetErrors.NoFolder(folder, "--data names a folder with images");
        string inner = Path.Combine(folder, split);
        var notes = new List<string>();
        try
        {
            if (Directory.Exists(inner) && Directory.EnumerateDirectories(inner).Any())
                return new ImageFolder(inner);
            foreach (string root in new[] { inner, folder, Path.Combine(folder, "data") }.Where(Directory.Exists))
            foreach (string extension in new[] { ".tar", ".parquet" })
            {
                var files = Directory.EnumerateFiles(root, "*" + extension).Select(f => Path.GetFileName(f));
                string[] shards = Splits.Choose(root, files, split, own: root == inner, notes);
                if (shards.Length == 0)
                    continue;
                foreach (string note in notes)
                    say?.Invoke($"{split}: {note}");
                return extension == ".tar" ? new TarShards(root, shards) : new ParquetShards(root, shards);
            }
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw DataSetErrors.UnreadableFolder(folder, e.Message);
        }
        string seen = notes.Count == 0 ? "" : "; " + string.Join("; ", notes);
        throw DataSetErrors.NoImages(split, folder, Splits.Wanted(split), seen);
    }

    private static string Needed(DataSpec spec, string? folder) => folder ?? throw DataSetErrors.NeedsData(spec.Name);

    private static GrayImages? Idx(string folder, string split)
    {
        string stem = Path.Combine(folder, split == "train" ? "train" : "t10k");
        return File.Exists(stem + "-images-idx3-ubyte") || File.Exists(stem + "-images-idx3-ubyte.gz")
            ? Images.Idx.Read(stem + "-images-idx3-ubyte", stem + "-labels-idx1-ubyte")
            : null;
    }

    private static void RequireSame(IReadOnlyList<string> train, IReadOnlyList<string> val, string folder)
    {
        if (train.SequenceEqual(val))
            return;
        string[] onlyTrain = [.. train.Except(val)];
        string[] onlyVal = [.. val.Except(train)];
        throw DataSetErrors.DifferentClasses(onlyTrain, onlyVal, folder);
    }

    private static string Example(string[] names) => names.Length > 0 ? $" (first {Shown.Name(names[0])})" : "";

    /// <summary>
    /// Counts and classes are part of what a protocol means: a wrong validation set gives a number that looks right.
    /// </summary>
    private static void Require(ImageSource set, int count, int classes, string folder, string split)
    {
        if (set.Count != count)
            throw DataSetErrors.OtherCount(split, set.Count, count, folder);
        if (count == 0)
            throw DataSetErrors.NoImage(
                split,
                folder,
                "there is nothing to learn or to evaluate",
                "restore the images"
            );
        int most = set.Labels.Max();
        int used = set.Labels.Distinct().Count();
        if (most >= classes || (split == "train" && used != classes))
            throw DataSetErrors.OtherClasses(split, used, most, classes, folder);
    }
}
