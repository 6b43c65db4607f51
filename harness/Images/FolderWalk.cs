using LutNative.Harness.Errors;

namespace LutNative.Harness.Images;

/// <summary>
/// The files below one class's folder as torchvision 0.14 walks them: folders in the order of their paths, in each its
/// files by name, links followed. A folder is entered once: a link that points up, or to a folder that this class has
/// already, is told and not entered. Only regular files are taken; nothing is opened.
/// </summary>
internal sealed class FolderWalk
{
    private const int DeepestFolder = 64;
    private readonly string root;
    private readonly HashSet<FileKind.Identity> above = [];
    private readonly Dictionary<FileKind.Identity, string> classOf = [];
    private readonly SortedDictionary<string, int> unused = new(StringComparer.Ordinal);
    private readonly List<string> told = [];

    /// <param name="root">The folder of the classes' folders.</param>
    internal FolderWalk(string root)
    {
        this.root = root;
        // the system resolves "..", so these are the real folders above, whatever links lead here
        FileKind.Identity last = default;
        for (string up = root; FileKind.Of(up) is { Type: FileType.Folder } at && at.Id != last; up += "/..")
            above.Add(last = at.Id);
    }

    /// <summary>What was not entered and which files were not used, a line each.</summary>
    internal IEnumerable<string> Told =>
        unused.Count == 0
            ? told
            : told.Append(
                "not used: "
                    + string.Join(
                        ", ",
                        unused.Select(u => $"{u.Value} x {(u.Key.Length == 0 ? "a name without extension" : u.Key)}")
                    )
            );

    /// <summary>The names of the classes, in order: the folders in root.</summary>
    internal string[] Classes()
    {
        var (folders, files) = List("");
        string[] lost = [.. files.Select(f => f.Name).Where(ImageFolder.IsImage).Order(CodePoints.Order)];
        if (lost.Length > 0)
            told.Add($"{lost.Length} images lie in no class's folder and are not used, first {Shown.Name(lost[0])}");
        return [.. folders.Select(f => f.Name).Order(CodePoints.Order)];
    }

    /// <summary>The images below a class's folder in their order.</summary>
    /// <returns>Paths under root, with / between names, and lengths.</returns>
    internal List<(string Place, long Length)> Images(string folder)
    {
        var found = new List<(string Folder, List<(string Name, long Length)> Files)>();
        var entered = new Dictionary<FileKind.Identity, string>();
        Enter(folder, FileKind.Of(Path.Combine(root, folder)).Id, depth: 0);
        found.Sort((a, b) => CodePoints.Order.Compare(a.Folder, b.Folder));
        return
        [
            .. found.SelectMany(f =>
                f.Files.OrderBy(x => x.Name, CodePoints.Order).Select(x => (f.Folder + "/" + x.Name, x.Length))
            ),
        ];

        void Enter(string at, FileKind.Identity id, int depth)
        {
            if (id != default)
            {
                if (above.Contains(id))
                {
                    told.Add($"{Shown.Name(at)} is a link to a folder above it: not entered");
                    return;
                }
                if (!entered.TryAdd(id, at))
                {
                    told.Add($"{Shown.Name(at)} is the folder {Shown.Name(entered[id])} again: not entered");
                    return;
                }
                if (!classOf.TryAdd(id, at) && classOf[id] != at)
                    told.Add(
                        $"{Shown.Name(at)} is the folder {Shown.Name(classOf[id])} again: its images have both labels"
                    );
            }
            if (depth > DeepestFolder)
                throw DataSetErrors.TooDeep(depth, Path.Combine(root, at));
            var (folders, files) = List(at);
            found.Add((at, [.. files.Where(f => ImageFolder.IsImage(f.Name))]));
            foreach (var (name, _) in files.Where(f => !ImageFolder.IsImage(f.Name)))
            {
                string extension = Shown.Name(Path.GetExtension(name)).ToLowerInvariant();
                unused[extension] = unused.GetValueOrDefault(extension) + 1;
            }
            foreach (var (name, inner) in folders.OrderBy(f => f.Name, CodePoints.Order))
                Enter(at + "/" + name, inner, depth + 1);
        }
    }

    private (List<(string Name, FileKind.Identity Id)> Folders, List<(string Name, long Length)> Files) List(string at)
    {
        string folder = at.Length == 0 ? root : Path.Combine(root, at);
        var folders = new List<(string, FileKind.Identity)>();
        var files = new List<(string, long)>();
        try
        {
            foreach (string path in Directory.EnumerateFileSystemEntries(folder))
            {
                string name = Path.GetFileName(path);
                var kind = FileKind.Of(path);
                if (kind.Type == FileType.Missing && name.Contains('\ufffd', StringComparison.Ordinal))
                    throw NotUtf8(folder);
                if (kind.Type == FileType.Folder)
                    folders.Add((name, kind.Id));
                else if (kind.Type == FileType.File)
                    files.Add((name, kind.Length));
                else if (ImageFolder.IsImage(name))
                    throw DataSetErrors.NotAnImageFile(name, FileKind.Word(kind.Type), path);
            }
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw DataSetErrors.UnreadableFolder(folder, e.Message);
        }
        return (folders, files);
    }

    private static LutError NotUtf8(string folder)
    {
        var names = RawNames.NotUtf8(folder);
        string first = names.Count > 0 ? names[0] : "a name";
        return DataSetErrors.NotUtf8(first, Math.Max(1, names.Count), folder);
    }
}
