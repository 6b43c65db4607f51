namespace LutNative.Harness.Tests.Data;

/// <summary>Small inputs from public bug reports (tests/fixtures/trials).</summary>
internal static class Trials
{
    internal static string PathOf(string folder, string file) =>
        Path.Combine(Repository.Root, "tests", "fixtures", "trials", folder, file);

    internal static byte[] Bytes(string folder, string file) => File.ReadAllBytes(PathOf(folder, file));

    /// <summary>A small whole JPEG.</summary>
    internal static byte[] Jpeg() =>
        File.ReadAllBytes(
            Path.Combine(Repository.Root, "tests", "fixtures", "golden", "images", "jpeg", "0_420_q75.jpg")
        );

    /// <summary>A file and the folders above it.</summary>
    internal static void Put(string path, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
    }
}
