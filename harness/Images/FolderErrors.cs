using LutNative.Harness.Errors;

namespace LutNative.Harness.Images;

/// <summary>What can be wrong with a folder of images as a whole, wherever it is met.</summary>
internal static class FolderErrors
{
    internal static LutError NoFolder(string folder, string why) =>
        new(Exit.Data, 4, $"there is no folder {Shown.Name(folder)}", Place(folder), why, "check the path");

    internal static LutError NoImage(string what, string folder, string why, string fix) =>
        new(Exit.Data, 441, $"{what} has no image", Place(folder), why, fix);

    internal static LutError Unreadable(string folder, Exception e) =>
        new(
            Exit.Data,
            443,
            "a folder of images cannot be read",
            Place(folder),
            Shown.Name(e.Message),
            "check its permissions and the disk; links must not go in circles"
        );

    private static string Place(string folder) => Shown.Name(Path.GetFullPath(folder));
}
