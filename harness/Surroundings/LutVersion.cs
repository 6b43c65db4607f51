using System.Reflection;

namespace LutNative.Harness.Surroundings;

/// <summary>What this build is and which numerics contract it keeps.</summary>
public static class LutVersion
{
    public const string Contract = "exact-1";

    public static string Text { get; } =
        typeof(LutVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? "0";

    /// <summary>What every file that this build writes says of its writer.</summary>
    public static string Writer { get; } = "lut " + Text;
}
