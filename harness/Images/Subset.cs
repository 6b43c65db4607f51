using System.Globalization;
using LutNative.Harness.Errors;

namespace LutNative.Harness.Images;

/// <summary>
/// A folder of images whose classes are some of another set's: ImageNet-A, -R, -Sketch (folders named as ImageNet's),
/// -V2 (folders named by number). Labels are the other set's. One rule: the set's own names win; numbers count only
/// where no folder has such a name.
/// </summary>
public sealed class Subset : ImageSource
{
    private readonly EncodedImages images;

    /// <param name="known">
    /// Names of the classes that the network knows, by label; null where the set has only numbers.
    /// </param>
    /// <param name="classes">How many classes the network knows.</param>
    /// <exception cref="LutError">A folder that is no class of the set.</exception>
    public Subset(string folder, IReadOnlyList<string>? known, int classes, Action<string>? say = null)
    {
        if (!Directory.Exists(folder))
            throw DataSetErrors.NoFolder(folder, "--over names a folder of the classes' folders");
        var container = new ImageFolder(folder);
        if (container.Places.Count == 0)
            throw DataSetErrors.NoImage(
                "the folder",
                folder,
                "it has no folder of a class",
                "point to the folder that holds the classes' folders"
            );
        string name = Shown.Name(Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)));
        foreach (string note in container.Notes)
            say?.Invoke($"{name}: {note}");
        images = new EncodedImages(
            container,
            ImageIndex.Build(container, new LongWork($"reading {name}", container.Places.Count, say).One)
        );
        int[] labels = Labelled(container.Classes!, known, classes, folder);
        Present = [.. labels.Distinct().Order()];
        Labels = [.. images.Labels.Select(l => labels[l])];
    }

    public override int[] Labels { get; }
    public override string Sha256 => images.Sha256;

    /// <summary>The labels that the folder has: scores of other classes do not compete.</summary>
    public int[] Present { get; }

    public override Picture Read(int i) => images.Read(i);

    /// <summary>The label of each folder.</summary>
    private static int[] Labelled(
        IReadOnlyList<string> folders,
        IReadOnlyList<string>? known,
        int classes,
        string where
    )
    {
        var byName = (known ?? [])
            .Select((name, label) => (name, label))
            .ToDictionary(x => x.name, x => x.label, StringComparer.Ordinal);
        int?[] labels = [.. folders.Select(f => byName.TryGetValue(f, out int label) ? label : (int?)null)];
        if (labels.All(l => l is null))
            labels = [.. folders.Select(f => Number(f) is { } n && n < classes ? n : (int?)null)];
        string[] strangers = [.. folders.Where((_, i) => labels[i] is null)];
        if (strangers.Length > 0)
            throw DataSetErrors.StrangeFolders(strangers, where, classes);
        if (labels.Distinct().Count() < labels.Length)
            throw DataSetErrors.OneClassTwice(where);
        return [.. labels.Select(l => l!.Value)];
    }

    private static int? Number(string name) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : null;
}
