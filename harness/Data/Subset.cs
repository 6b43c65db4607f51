namespace LutNative.Harness.Data;

/// <summary>
/// A folder of images whose classes are some of another set's: ImageNet-A, -R, -Sketch (folders named as ImageNet's), -V2 (folders named by number). Labels are the other set's.
/// </summary>
public sealed class Subset : ImageSource
{
    private readonly EncodedImages images;

    /// <param name="classes">Of the set that the network knows, by label.</param>
    public Subset(string folder, IReadOnlyList<string> classes)
    {
        var container = new ImageFolder(folder);
        images = new EncodedImages(container, ImageIndex.Build(container));
        var known = classes.Select((c, i) => (c, i)).ToDictionary(x => x.c, x => x.i, StringComparer.Ordinal);
        bool numbers = container.Classes!.All(c => int.TryParse(c, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int n) && n < classes.Count);
        string[] strangers = numbers ? [] : [.. container.Classes!.Where(c => !known.ContainsKey(c))];
        if (strangers.Length > 0) throw new LutError(Exit.Data, 18, $"{strangers.Length} folders are no classes of the data set, first {strangers[0]}", folder, "a class is found by its folder's name (n01440764), or all folders are numbers of classes (0 to 999)", "point to the folder that holds the classes' folders");
        Present = [.. container.Classes!.Select(c => numbers ? int.Parse(c, System.Globalization.CultureInfo.InvariantCulture) : known[c]).Order()];
        Labels = [.. images.Labels.Select(l => numbers ? int.Parse(container.Classes![l], System.Globalization.CultureInfo.InvariantCulture) : known[container.Classes![l]])];
    }

    public override int[] Labels { get; }
    public override string Sha256 => images.Sha256;

    /// <summary>The labels that the folder has: scores of other classes do not compete.</summary>
    public int[] Present { get; }

    public override Picture Read(int i) => images.Read(i);
}
