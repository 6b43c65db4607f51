using System.Reflection;

namespace LutNative.Model.Devices;

/// <summary>The PTX of native/ptx, which is shipped inside this assembly.</summary>
internal static class ShippedPtx
{
    private const string Folder = "ptx/";
    private const string Suffix = ".ptx";

    /// <summary>"gemm", "layer_norm", ..., in order.</summary>
    internal static IEnumerable<string> Files =>
        Assembly
            .GetExecutingAssembly()
            .GetManifestResourceNames()
            .Where(n => n.StartsWith(Folder, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(n => n[Folder.Length..^Suffix.Length]);

    /// <summary>The text of native/ptx/file.ptx.</summary>
    internal static string Read(string file)
    {
        using var stream =
            Assembly.GetExecutingAssembly().GetManifestResourceStream(Folder + file + Suffix)
            ?? throw new InvalidOperationException($"no PTX named {file} in this assembly");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
