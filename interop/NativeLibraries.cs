using System.Reflection;
using System.Runtime.InteropServices;

namespace LutNative.Interop;

/// <summary>
/// Finds NVIDIA's libraries at run time: the folder in LUT_CUDA_LIBRARIES first, then the system's loader. What was loaded is remembered, so that a result can
/// name it. Names: GPU.md's table of NVIDIA's documentation, restated here; libcuda.so without .1 may be the toolkit's stub and comes last.
/// </summary>
public static class NativeLibraries
{
    /// <summary>Environment variable with a folder to look in first.</summary>
    public const string Variable = "LUT_CUDA_LIBRARIES";

    private static readonly Dictionary<string, (nint Handle, string Path)> loaded = new(StringComparer.Ordinal);

    static NativeLibraries() => NativeLibrary.SetDllImportResolver(Assembly.GetExecutingAssembly(), (name, _, _) => Names(name).Length == 0 ? 0 : Load(name));

    /// <summary>File names of a library, by our logical name, best first.</summary>
    public static string[] Names(string library) => library switch
    {
        "cuda" => OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1", "libcuda.so"],
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
            string? folder = Environment.GetEnvironmentVariable(Variable);
            if (!string.IsNullOrEmpty(folder) && !Directory.Exists(folder))
            {
                why = $"{Variable} names {folder}, which does not exist";
                return false;
            }
            foreach (string name in Names(library))
                foreach (string candidate in string.IsNullOrEmpty(folder) ? [name] : new[] { Path.Combine(folder, name), name })
                    if (NativeLibrary.TryLoad(candidate, out nint handle))
                    {
                        loaded.Add(library, (handle, path = candidate));
                        return true;
                    }
        }
        why = $"no {string.Join(" or ", Names(library))} on this machine{(Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } f ? $" or in {f}" : "")}";
        return false;
    }

    /// <summary>The first of some entry points that a library lacks, or null.</summary>
    public static string? Missing(string library, IEnumerable<string> exports)
    {
        nint handle = Load(library);
        return exports.FirstOrDefault(e => !NativeLibrary.TryGetExport(handle, e, out _));
    }

    private static nint Load(string library)
    {
        if (!TryLoad(library, out _, out string why)) throw new DllNotFoundException(why);
        lock (loaded) return loaded[library].Handle;
    }
}
