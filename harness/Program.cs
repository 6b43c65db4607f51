using System.Runtime.CompilerServices;
using LutNative.Harness.Commands;
using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness;

internal static class Program
{
    private static int Main(string[] args) => Descriptors.Prepare() is { } tooFew ? Refuse(tooFew) : Run(args);

    // apart, so that nothing is loaded for it before the descriptors have been looked at
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Run(string[] args) => Verbs.Run(args);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Refuse(string tooFew)
    {
        var error = UnfitErrors.TooFewFiles(tooFew, 4 * Descriptors.Least);
        Descriptors.Say(error.Message + "\n");
        return (int)error.Exit;
    }
}
