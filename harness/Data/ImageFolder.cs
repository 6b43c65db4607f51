namespace LutNative.Harness.Data;

/// <summary>
/// A folder a class, as torchvision's ImageFolder reads it: classes are the folders' names in ordinal order, images the files below each in ordinal order of their
/// paths, with the extensions that torchvision knows.
/// </summary>
public sealed class ImageFolder : IContainer
{
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"];   // torchvision datasets/folder.py IMG_EXTENSIONS
    private readonly string root;

    public ImageFolder(string root)
    {
        this.root = root;
        string[] classes = [.. Directory.GetDirectories(root).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal)];
        var places = new List<ImagePlace>();
        for (int label = 0; label < classes.Length; label++)
        {
            int before = places.Count;
            var files = new DirectoryInfo(Path.Combine(root, classes[label])).EnumerateFiles("*", SearchOption.AllDirectories)
                .Where(f => Extensions.Contains(f.Extension, StringComparer.OrdinalIgnoreCase))
                .Select(f => (Place: Path.GetRelativePath(root, f.FullName).Replace('\\', '/'), f.Length));
            foreach (var (place, length) in files.OrderBy(f => f.Place, StringComparer.Ordinal))
                places.Add(new ImagePlace(place, 0, checked((int)Math.Min(length, int.MaxValue)), label));
            if (places.Count == before) throw new LutError(Exit.Data, 11, $"class {classes[label]} has no image", Path.Combine(root, classes[label]), $"images end in {string.Join(", ", Extensions)}", "remove the empty folder, or restore its images");
        }
        (Classes, Places) = (classes, places);
    }

    public string Kind => "image folder";
    public IReadOnlyList<ImagePlace> Places { get; }
    public IReadOnlyList<string>? Classes { get; }

    public bool InOrder => false;

    public byte[] Read(in ImagePlace place) => File.ReadAllBytes(Path.Combine(root, place.Place));
}
