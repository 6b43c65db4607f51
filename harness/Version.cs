using System.Reflection;

namespace LutNative.Harness;

/// <summary>What this build is and which numerics contract it keeps.</summary>
public static class Version
{
    public const string Contract = "exact-1";

    public static string Lut { get; } =
        typeof(Version).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? "0";
}
