using LutNative.Harness.Errors;

namespace LutNative.Harness.Images;

/// <summary>
/// A folder a class, as torchvision's ImageFolder reads it: classes are the folders' names in the order of their code
/// points, images the files below each as <see cref="FolderWalk"/> finds them, with the extensions that torchvision
/// knows.
/// </summary>
public sealed class ImageFolder : IContainer
{
    // torchvision datasets/folder.py IMG_EXTENSIONS
    private static readonly string[] Extensions =
    [
        ".jpg",
        ".jpeg",
        ".png",
        ".ppm",
        ".bmp",
        ".pgm",
        ".tif",
        ".tiff",
        ".webp",
    ];
    private readonly string root;

    /// <exception cref="LutError">A class without images, a name that is not UTF-8, a pipe or device named as an image,
    /// a folder that cannot be read.</exception>
    public ImageFolder(string root)
    {
        this.root = root;
        var walk = new FolderWalk(root);
        string[] classes = walk.Classes();
        var places = new List<ImagePlace>();
        for (int label = 0; label < classes.Length; label++)
        {
            var images = walk.Images(classes[label]);
            if (images.Count == 0)
                throw DataSetErrors.EmptyClass(classes[label], root, Extensions);
            foreach (var (place, length) in images)
                places.Add(new ImagePlace(place, 0, checked((int)Math.Min(length, int.MaxValue)), label));
        }
        Classes = classes;
        Places = places;
        Notes = [.. walk.Told];
    }

    public string Kind => "image folder";
    public IReadOnlyList<ImagePlace> Places { get; }
    public IReadOnlyList<string>? Classes { get; }
    public IReadOnlyList<string> Notes { get; }

    public bool InOrder => false;

    public byte[] Read(in ImagePlace place)
    {
        using var file = FileKind.Open(Path.Combine(root, place.Place));
        if (file.Length > int.MaxValue)
            throw new IOException($"{file.Length} bytes are no image");
        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Is this the name of an image, by its extension?</summary>
    internal static bool IsImage(string name) =>
        Extensions.Any(e => name.EndsWith(e, StringComparison.OrdinalIgnoreCase));
}
