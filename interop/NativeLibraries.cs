using System.Reflection;
using System.Runtime.InteropServices;

namespace LutNative.Interop;

/// <summary>
/// Finds NVIDIA's libraries at run time: the folders in LUT_CUDA_LIBRARIES first (separated as in PATH), then the
/// system's loader. What was loaded is remembered, so that a result can name it. Names: GPU.md's table of NVIDIA's
/// documentation, restated here; libcuda.so without .1 may be the toolkit's stub and comes last.
/// </summary>
public static class NativeLibraries
{
    /// <summary>Environment variable with folders to look in first.</summary>
    public const string Variable = "LUT_CUDA_LIBRARIES";

    private static readonly Dictionary<string, (nint Handle, string Path)> loaded = new(StringComparer.Ordinal);

    static NativeLibraries() =>
        NativeLibrary.SetDllImportResolver(
            Assembly.GetExecutingAssembly(),
            (name, _, _) => Names(name).Length == 0 ? 0 : Load(name)
        );

    /// <summary>File names of a library, by our logical name, best first.</summary>
    public static string[] Names(string library) =>
        library switch
        {
            "cuda" => OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1", "libcuda.so"],
            "cublasLt" => OperatingSystem.IsWindows()
                ? ["cublasLt64_13.dll", "cublasLt64_12.dll"]
                : ["libcublasLt.so.13", "libcublasLt.so.12"],
            "cudnn" => OperatingSystem.IsWindows() ? ["cudnn64_9.dll"] : ["libcudnn.so.9"],
            "nvml" => OperatingSystem.IsWindows() ? ["nvml.dll"] : ["libnvidia-ml.so.1"],
            _ => [],
        };

    /// <summary>Whether a library can be loaded; why not otherwise.</summary>
    public static bool TryLoad(string library, out string path, out string why)
    {
        (path, why) = ("", "");
        lock (loaded)
        {
            if (loaded.TryGetValue(library, out var known))
            {
                path = known.Path;
                return true;
            }
            string[] folders = (Environment.GetEnvironmentVariable(Variable) ?? "").Split(
                Path.PathSeparator,
                StringSplitOptions.RemoveEmptyEntries
            );
            if (folders.FirstOrDefault(f => !Directory.Exists(f)) is { } absent)
            {
                why = $"{Variable} names {absent}, which does not exist";
                return false;
            }
            foreach (string name in Names(library))
            foreach (string candidate in folders.Select(f => Path.Combine(f, name)).Append(name))
                if (NativeLibrary.TryLoad(candidate, out nint handle))
                {
                    loaded.Add(library, (handle, path = candidate));
                    return true;
                }
        }
        why = $"no {string.Join(" or ", Names(library))} on this machine";
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given)
            why += $" or in {given}";
        return false;
    }

    /// <summary>Loads a library that must have some entry points; returns its path.</summary>
    /// <exception cref="DllNotFoundException">
    /// It is not there, or lacks one; the message says which and where it was looked for.
    /// </exception>
    public static string Require(string library, IEnumerable<string> exports, string what)
    {
        if (!TryLoad(library, out string path, out string why))
            throw new DllNotFoundException(why);
        if (exports.FirstOrDefault(e => Export(library, e) == 0) is { } missing)
            throw new DllNotFoundException($"{path} has no {missing}: it is not {what}");
        return path;
    }

    /// <summary>An entry point of a library that was loaded, or 0.</summary>
    internal static nint Export(string library, string name) =>
        NativeLibrary.TryGetExport(Load(library), name, out nint address) ? address : 0;

    /// <summary>The files behind the libraries that were loaded, by logical name: what a result records.</summary>
    public static IReadOnlyDictionary<string, string> Loaded()
    {
        lock (loaded)
            return loaded.ToDictionary(l => l.Key, l => FileOf(l.Value.Path), StringComparer.Ordinal);
    }

    /// <summary>A name that the system's loader resolved is looked up among this process's mapped files.</summary>
    private static string FileOf(string path)
    {
        if (Path.IsPathRooted(path) || !OperatingSystem.IsLinux())
            return path;
        return File.ReadLines("/proc/self/maps")
                .Select(l => l.IndexOf('/', StringComparison.Ordinal) is >= 0 and int at ? l[at..] : "")
                .FirstOrDefault(f => Path.GetFileName(f).StartsWith(path, StringComparison.Ordinal))
            ?? path;
    }

    private static nint Load(string library)
    {
        if (!TryLoad(library, out _, out string why))
            throw new DllNotFoundException(why);
        lock (loaded)
            return loaded[library].Handle;
    }
}
