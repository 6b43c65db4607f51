namespace LutNative.Harness.Errors;

/// <summary>A data set, one of its files or an image is missing, damaged, refused, or not the expected one.</summary>
internal static class DataSetErrors
{
    internal static LutError NoIdxFile(string path) =>
        new(
            Exit.Data,
            1,
            $"the data file {Path.GetFileName(path)} is missing",
            Path.GetFullPath(path),
            "it is looked for as it is named and with .gz",
            "check --data, or the installation for the embedded subset"
        );

    internal static LutError UnreadableIdx(string path, string why) =>
        new(Exit.Data, 2, $"cannot read {path}", Path.GetFullPath(path), why, "check the path and its permissions");

    internal static LutError InvalidIdx(string path, string why) =>
        new(
            Exit.Data,
            3,
            $"{Path.GetFileName(path)} is not a valid IDX file",
            Path.GetFullPath(path),
            why + "; it may be truncated or damaged",
            "restore the file from its source"
        );

    internal static LutError NoFolder(string folder, string why) =>
        new(
            Exit.Data,
            4,
            $"there is no folder {Shown.Name(folder)}",
            Shown.Name(Path.GetFullPath(folder)),
            why,
            "check the path"
        );

    internal static LutError OnlyTenThousandInside(int images) =>
        new(
            Exit.Data,
            5,
            $"the protocol needs {images} training images",
            "[data].train_images",
            "only the first 10,000 are inside the repository",
            "pass --data FOLDER with train-images-idx3-ubyte(.gz) and its three companions, "
                + "for example /usr/share/datasets/fashion-mnist from Debian's package dataset-fashion-mnist"
        );

    internal static LutError NotFashionMnist(string split, string folder, string found, string expected) =>
        new(
            Exit.Data,
            6,
            $"the {split} images are not Fashion-MNIST's",
            folder,
            $"their SHA-256 is {found}, expected {expected}",
            "restore the original files: a single changed pixel makes runs incomparable"
        );

    internal static LutError TooFewInFile(int needed, int held) =>
        new(
            Exit.Data,
            7,
            $"the protocol needs {needed} images and the file holds {held}",
            "[data]",
            "every image is used exactly once an epoch",
            "use another --data folder"
        );

    /// <param name="container">What the images lie in: a folder, tar shards, Parquet shards.</param>
    internal static LutError UnreadableImage(string container, string why) =>
        new(Exit.Data, 10, "an image cannot be read", container, Shown.Name(why), "check the disk and the permissions");

    internal static LutError EmptyClass(string name, string root, IEnumerable<string> extensions) =>
        new(
            Exit.Data,
            11,
            $"class {Shown.Name(name)} has no image",
            Shown.Name(Path.Combine(root, name)),
            $"images end in {string.Join(", ", extensions)}",
            "remove the empty folder, or restore its images"
        );

    /// <param name="why">Shown already, as names in it may be.</param>
    internal static LutError NoTarShard(string shard, string root, string why) =>
        new(
            Exit.Data,
            12,
            $"{Shown.Name(shard)} is not a WebDataset shard",
            Shown.Name(Path.Combine(root, shard)),
            why,
            "an image is KEY.jpg, .jpeg or .png with KEY.cls beside it, KEY without a point in it; restore or remake the shard (docs/DATA.md)"
        );

    internal static LutError NeedsData(string dataSet) =>
        new(
            Exit.Data,
            13,
            $"the protocol needs {dataSet}",
            "--data",
            "its images are not in the repository",
            "pass --data FOLDER: train and val as image folders, WebDataset tar shards or Hugging Face Parquet shards (docs/DATA.md)"
        );

    /// <param name="words">That a shard's name may have, to belong to the split.</param>
    /// <param name="seen">What was there instead, as "; note; note", or nothing.</param>
    internal static LutError NoImages(string split, string folder, string words, string seen) =>
        new(
            Exit.Data,
            14,
            $"there are no {Shown.Name(split)} images in {Shown.Name(folder)}",
            Shown.Name(Path.GetFullPath(folder)),
            $"looked for folders of classes in {Shown.Name(split)}, and for .tar and .parquet shards with one of the words {words} in their names{seen}",
            "see docs/DATA.md for the layouts"
        );

    internal static LutError OtherCount(string split, int found, int needed, string folder) =>
        new(
            Exit.Data,
            15,
            $"{split} has {found} images, the protocol needs {needed}",
            Shown.Name(Path.GetFullPath(folder)),
            "every image counts, once an epoch or once an evaluation",
            "complete the set, or say --set data.train_images=... or data.test_images=... (the run is then marked +modified)"
        );

    internal static LutError OtherClasses(string split, int used, int most, int needed, string folder) =>
        new(
            Exit.Data,
            16,
            $"{split} has {used} classes up to label {most}, the protocol needs {needed}",
            Shown.Name(Path.GetFullPath(folder)),
            "another set of classes, or another mapping to numbers, makes every accuracy meaningless",
            "check the folder; --set data.classes=... for a set of your own"
        );

    internal static LutError NoParquetShard(string shard, string root, string why) =>
        new(
            Exit.Data,
            17,
            $"{Shown.Name(shard)} is not an image shard",
            Shown.Name(Path.Combine(root, shard)),
            Shown.Name(why),
            "it needs the columns image.bytes (binary) and label (integer), as Hugging Face's image sets have; restore or download it again"
        );

    internal static LutError StrangeFolders(IReadOnlyList<string> strangers, string folder, int classes) =>
        new(
            Exit.Data,
            18,
            $"{strangers.Count} folders are no classes of the data set, first {Shown.Name(strangers[0])}",
            Shown.Name(folder),
            $"a class is found by its folder's name as in --data; where none is, all must be numbers of classes (0 to {classes - 1})",
            "point to the folder that holds the classes' folders"
        );

    internal static LutError DifferentClasses(
        IReadOnlyList<string> onlyTrain,
        IReadOnlyList<string> onlyVal,
        string folder
    ) =>
        new(
            Exit.Data,
            22,
            $"train and val have different classes: {onlyTrain.Count} folders only in train{Example(onlyTrain)}, {onlyVal.Count} only in val{Example(onlyVal)}",
            Shown.Name(Path.GetFullPath(folder)),
            "labels are the places of the folders' names in order, so every later class would have another number",
            "give val the same folders as train; the flat validation archive has to be sorted into them first"
        );

    private static string Example(IReadOnlyList<string> names) =>
        names.Count > 0 ? $" (first {Shown.Name(names[0])})" : "";

    internal static LutError ImageRefused(string image, string why) =>
        new(
            Exit.Data,
            101,
            "an image was refused",
            image,
            why,
            "`lut data check FOLDER` lists every such image; restore them from the source (docs/DATA.md says what is accepted)"
        );

    /// <param name="first">Its bytes made visible, or "a name" where the system does not show it.</param>
    internal static LutError NotUtf8(string first, int names, string folder) =>
        new(
            Exit.Data,
            440,
            $"{first} is not UTF-8: {names} such names in this folder",
            Shown.Name(Path.GetFullPath(folder)),
            "a name that is not text in UTF-8 cannot be opened here, and its place among the others is not known",
            "rename the files, for example: convmv -f latin1 -t utf8 -r --notest FOLDER"
        );

    /// <param name="what">The split or the folder that has none.</param>
    internal static LutError NoImage(string what, string folder, string why, string fix) =>
        new(Exit.Data, 441, $"{what} has no image", Shown.Name(Path.GetFullPath(folder)), why, fix);

    /// <param name="kind">What it is instead: "a pipe".</param>
    internal static LutError NotAnImageFile(string name, string kind, string path) =>
        new(
            Exit.Data,
            442,
            $"{Shown.Name(name)} is {kind}, not an image file",
            Shown.Name(path),
            "only files are read; opening anything else could wait forever",
            "remove it, or put the image there"
        );

    internal static LutError UnreadableFolder(string folder, string why) =>
        new(
            Exit.Data,
            443,
            "a folder of images cannot be read",
            Shown.Name(Path.GetFullPath(folder)),
            Shown.Name(why),
            "check its permissions and the disk; links must not go in circles"
        );

    internal static LutError UnreadableIndex(string path, string why) =>
        new(
            Exit.Data,
            444,
            "the index cannot be read",
            Shown.Name(Path.GetFullPath(path)),
            Shown.Name(why),
            "check the disk and its permissions, remove it to have it made again, or keep another with --index"
        );

    internal static LutError ShardOfTwoSplits(string shard, string folder, string one, string other) =>
        new(
            Exit.Data,
            445,
            $"the shard {Shown.Name(shard)} is {one}'s and {other}'s",
            Shown.Name(Path.Combine(folder, shard)),
            "an image of both splits would be trained on and then evaluated",
            $"put each split's shards into a folder of its own ({one}/, {other}/), or give the files names with one of the words"
        );

    internal static LutError TooDeep(int depth, string path) =>
        new(
            Exit.Data,
            448,
            $"folders lie {depth} deep inside each other",
            Shown.Name(path),
            "a set of images has a few levels; this may be links that go in circles",
            "remove the link, or the folder"
        );

    internal static LutError OtherNumberOfClasses(int found, int needed, string folder) =>
        new(
            Exit.Data,
            449,
            $"the data set has {found} classes, the protocol {needed}",
            Path.GetFullPath(folder),
            "labels are the places of its folders' names in order",
            "give --data the folder whose val has every class"
        );

    internal static LutError OneClassTwice(string folder) =>
        new(
            Exit.Data,
            450,
            "two folders are one class",
            Shown.Name(folder),
            "their names are the same number",
            "give each class one folder"
        );

    internal static LutError UnreadableShard(string shard, string root, string why) =>
        new(
            Exit.Data,
            451,
            $"the shard {Shown.Name(shard)} cannot be read",
            Shown.Name(Path.Combine(root, shard)),
            Shown.Name(why),
            "check its permissions and the disk"
        );

    internal static LutError ValLacksClasses(int found, int needed, string folder) =>
        new(
            Exit.Data,
            453,
            $"val has {found} classes, the protocol needs {needed}",
            Path.GetFullPath(folder),
            "labels are the places of the folders' names in order: one folder less and every later class has another number",
            "give val a folder for each class; the flat validation archive has to be sorted into them first"
        );

    internal static LutError NoIdxFolder(string folder) =>
        new(
            Exit.Data,
            467,
            $"there is no folder {folder}",
            Path.GetFullPath(folder),
            "--data names a folder with the IDX files",
            "check the path"
        );
}
