using System.Security.Cryptography;
using System.Text;
using LutNative.Harness.Errors;
using LutNative.Results;

namespace LutNative.Harness.Images;

/// <summary>
/// Where the index of a split is looked for and kept: where --index says, and nowhere else; otherwise beside the
/// images, and where that folder cannot be written in the user's cache (XDG_CACHE_HOME/lut, ~/.cache/lut), so that a
/// cluster's read-only mount is hashed once.
/// </summary>
internal static class IndexPlaces
{
    /// <summary>The files that may hold the index, best first.</summary>
    /// <param name="asked">
    /// --index: a folder, or a file (only where one split is meant); null for the usual places.
    /// </param>
    internal static string[] Of(string folder, string split, string? asked)
    {
        string name = $"lut-index.{split}.tsv";
        if (asked is not null)
            return
            [
                Directory.Exists(asked) || Path.EndsInDirectorySeparator(asked) ? Path.Combine(asked, name) : asked,
            ];
        string beside = Path.Combine(folder, name);
        return Cache(folder) is { } cache ? [beside, Path.Combine(cache, name)] : [beside];
    }

    /// <summary>A run has two splits, so its --index is a folder.</summary>
    internal static string? FolderOf(string? asked) =>
        asked is null || !File.Exists(asked)
            ? asked is null || Path.EndsInDirectorySeparator(asked)
                ? asked
                : asked + Path.DirectorySeparatorChar
            : throw UsageErrors.IndexIsAFile(asked);

    /// <summary>Looks whether --index can be written before images are read for hours.</summary>
    /// <exception cref="LutError">It cannot.</exception>
    internal static void RequireWritable(string place)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(place))!);
            using var trial = WholeFile.Begin(place);
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw CannotWrite(place, e);
        }
    }

    private static LutError CannotWrite(string place, Exception e) => StoreErrors.CannotWriteIndex(place, e.Message);

    /// <summary>Writes the index to the first place that takes it.</summary>
    /// <exception cref="LutError">--index names a place that cannot be written.</exception>
    internal static void Keep(ImageIndex index, string[] places, bool asked, Action<string>? say)
    {
        string refused = "";
        foreach (string place in places)
            try
            {
                if (asked || place != places[0])
                    Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(place))!);
                index.Write(place);
                say?.Invoke($"index written to {Shown.Name(place)}{refused}");
                return;
            }
            catch (Exception e) when (Files.Failed(e))
            {
                if (asked)
                    throw CannotWrite(place, e);
                refused += $" (not to {Shown.Name(place)}: {Shown.Name(e.Message)})";
            }
        say?.Invoke(
            $"the index cannot be kept{refused}: the images will be read again next time; `--index` names another place"
        );
    }

    /// <summary>
    /// A folder's own place in the cache: its whole path decides, hashed since a path is no file's name.
    /// </summary>
    private static string? Cache(string folder)
    {
        string? root =
            Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg
            && Path.IsPathFullyQualified(xdg)
                ? xdg
            : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home
                ? Path.Combine(home, ".cache")
            : null;
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        return root is null
            ? null
            : Path.Combine(
                root,
                "lut",
                "index",
                Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)))[..32]
            );
    }
}
