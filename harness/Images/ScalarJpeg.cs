using System.Runtime.InteropServices;

namespace LutNative.Harness.Images;

/// <summary>
/// libjpeg-turbo's vector code and its scalar code give other pixels where coefficients leave the usual range, and
/// which of them a build of the decoder has depends on the processor. The scalar code is asked for before the library
/// is loaded, so that one file has one answer everywhere: the library reads JSIMD_FORCENONE (simd/*/jsimd.c) from the
/// process's own environment, which .NET does not write to on Unix.
/// </summary>
internal static partial class ScalarJpeg
{
    private const string Variable = "JSIMD_FORCENONE";

    internal static void Ask()
    {
        if (OperatingSystem.IsWindows())
            Environment.SetEnvironmentVariable(Variable, "1");
        else
            _ = SetEnvironment(Variable, "1", 1);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
