using System.Collections;
using System.Text.RegularExpressions;

namespace LutNative.Harness.Recording;

/// <summary>
/// What a run records of its surroundings, chosen so that results can be published: settings that can change how the
/// program executes, by a list of names, and the command line without the places of a machine's folders. Values of
/// everything else, secrets in variables with a promising prefix too, stay where they are.
/// </summary>
internal static partial class RecordedSettings
{
    internal const string Withheld = "(not recorded)";
    private static readonly string[] RuntimePrefixes = ["DOTNET_", "COMPlus_"];

    // knobs of the runtime: clrconfignames.h and gcconfig.h of .NET 10
    private static readonly HashSet<string> Runtime = new(StringComparer.OrdinalIgnoreCase)
    {
        "gcServer",
        "gcConcurrent",
        "GCHeapCount",
        "GCHeapAffinitizeMask",
        "GCHeapAffinitizeRanges",
        "GCHeapHardLimit",
        "GCHeapHardLimitPercent",
        "GCgen0size",
        "GCgen0MaxBudget",
        "GCNoAffinitize",
        "GCConserveMemory",
        "GCCpuGroup",
        "GCDynamicAdaptationMode",
        "GCRetainVM",
        "GCLargePages",
        "GCTotalPhysicalMemory",
        "GCStress",
        "TieredCompilation",
        "TieredPGO",
        "TC_QuickJit",
        "TC_QuickJitForLoops",
        "TC_OnStackReplacement",
        "TC_CallCountThreshold",
        "TC_BackgroundWorkerTimeoutMs",
        "TC_AggressiveTiering",
        "OSR_HitLimit",
        "ReadyToRun",
        "ReadyToRun_DisableR2R",
        "PROCESSOR_COUNT",
        "Thread_UseAllCpuGroups",
        "Thread_AssignCpuGroups",
        "Thread_DefaultStackSize",
        "ThreadPool_ForceMinWorkerThreads",
        "ThreadPool_ForceMaxWorkerThreads",
        "ThreadPool_UseWindowsThreadPool",
        "JitStress",
        "JitStressRegs",
        "JITMinOpts",
        "JitNoInline",
        "JitForceControlFlowGuard",
        "AltJit",
        "PreferredVectorBitWidth",
        "MaxVectorTBitWidth",
        "EnableHWIntrinsic",
        "EnableSSE",
        "EnableSSE2",
        "EnableSSE3",
        "EnableSSE41",
        "EnableSSE42",
        "EnableSSSE3",
        "EnableAES",
        "EnablePCLMULQDQ",
        "EnableAVX",
        "EnableAVX2",
        "EnableAVX512",
        "EnableAVX512F",
        "EnableAVX512v2",
        "EnableAVX512v3",
        "EnableAVX10v1",
        "EnableAVX10v2",
        "EnableAVXVNNI",
        "EnableAPX",
        "EnableBMI1",
        "EnableBMI2",
        "EnableFMA",
        "EnableLZCNT",
        "EnableMOVBE",
        "EnablePOPCNT",
        "EnableGFNI",
        "EnableVAES",
        "EnableArm64AdvSimd",
        "EnableArm64Aes",
        "EnableArm64Atomics",
        "EnableArm64Crc32",
        "EnableArm64Dp",
        "EnableArm64Rdm",
        "EnableArm64Sha1",
        "EnableArm64Sha256",
        "EnableArm64Rcpc",
        "EnableArm64Sve",
        "EnableArm64Sve2",
        "SYSTEM_GLOBALIZATION_INVARIANT",
    };

    private static readonly HashSet<string> Others = new(StringComparer.Ordinal)
    {
        "LANG",
        "LANGUAGE",
        "LC_ALL",
        "LC_ADDRESS",
        "LC_COLLATE",
        "LC_CTYPE",
        "LC_IDENTIFICATION",
        "LC_MEASUREMENT",
        "LC_MESSAGES",
        "LC_MONETARY",
        "LC_NAME",
        "LC_NUMERIC",
        "LC_PAPER",
        "LC_TELEPHONE",
        "LC_TIME",
        "OMP_NUM_THREADS",
        "OMP_DYNAMIC",
        "OMP_PROC_BIND",
        "OMP_SCHEDULE",
        "OMP_PLACES",
        "GOMP_CPU_AFFINITY",
        "MKL_NUM_THREADS",
        "MKL_CBWR",
        "OPENBLAS_NUM_THREADS",
        "CUDA_VISIBLE_DEVICES",
        "CUDA_DEVICE_ORDER",
        "CUDA_LAUNCH_BLOCKING",
        "CUDA_MODULE_LOADING",
        "CUDA_FORCE_PTX_JIT",
        "CUDA_DISABLE_PTX_JIT",
        "CUBLAS_WORKSPACE_CONFIG",
        "NVIDIA_TF32_OVERRIDE",
    };

    /// <summary>Of this process, as NAME=value, in order.</summary>
    internal static IEnumerable<string> Settings() =>
        Of(
            Environment
                .GetEnvironmentVariables()
                .Cast<DictionaryEntry>()
                .Select(e => ((string)e.Key, (string?)e.Value ?? ""))
        );

    /// <summary>
    /// A runtime setting that is not on the list is told by its name alone: it may act, and nobody knows what it holds.
    /// </summary>
    internal static IEnumerable<string> Of(IEnumerable<(string Name, string Value)> variables) =>
        from v in variables
        where PlainName().IsMatch(v.Name)
        let runtime = RuntimePrefixes.FirstOrDefault(p => v.Name.StartsWith(p, StringComparison.OrdinalIgnoreCase))
        let known = runtime is null ? Others.Contains(v.Name) : Runtime.Contains(v.Name[runtime.Length..])
        where known || runtime is not null
        orderby v.Name
        select $"{v.Name}={(known && PlainValue().IsMatch(v.Value) ? v.Value : Withheld)}";

    /// <summary>
    /// The command line: paths inside the working directory relative to it, of others their last component alone (a
    /// home folder's name is a person's).
    /// </summary>
    internal static string[] Argv(IEnumerable<string> words) => [.. words.Select(Word)];

    /// <summary>A path as a result may tell it.</summary>
    internal static string Place(string path)
    {
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, path);
        if (
            !Path.IsPathFullyQualified(relative)
            && relative.Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar)[0] != ".."
        )
            return relative;
        return "../" + Path.GetFileName(Path.TrimEndingDirectorySeparator(path));
    }

    private static string Word(string word)
    {
        int value = word.LastIndexOf('=') + 1; // --option=/a/path, key=/a/path
        string path = word[value..];
        bool leads = Path.IsPathRooted(path) || path.Split('/', '\\').Contains("..");
        return leads ? word[..value] + Place(path) : word;
    }

    [GeneratedRegex("^[A-Za-z0-9_]{1,64}$")]
    private static partial Regex PlainName();

    [GeneratedRegex("^[A-Za-z0-9_.,:@%+-]{0,40}$")]
    private static partial Regex PlainValue();
}
