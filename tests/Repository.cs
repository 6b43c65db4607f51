namespace LutNative.Tests;

public static class Repository
{
    /// <summary>The checkout this test binary was built from.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        string? dir = AppContext.BaseDirectory;
        while (dir is not null && !File.Exists(Path.Combine(dir, "LutNative.sln")))
            dir = Path.GetDirectoryName(dir);
        return dir ?? throw new InvalidOperationException("the tests must run inside the repository");
    }
}
