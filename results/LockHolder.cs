using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace LutNative.Results;

/// <summary>
/// Who owns a folder, as its LOCK file says. It is told to people and never decides anything: the operating system's
/// lock does.
/// </summary>
/// <param name="Start">UTC.</param>
/// <param name="Token">Random: tells this lock from any other of the same process.</param>
internal sealed record LockHolder(string Pid, string Host, string Start, string Program, string Token)
{
    private const string Unknown = "unknown";

    internal static LockHolder Me()
    {
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return new LockHolder(
            Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
            Environment.MachineName,
            process.StartTime.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
            Path.GetFileName(Environment.GetCommandLineArgs()[0]),
            Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))
        );
    }

    /// <summary>A holder may die while it writes: what is not there is unknown.</summary>
    internal static LockHolder Parse(ReadOnlySpan<byte> text)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        string[] lines = Encoding.UTF8.GetString(text).Split('\n');
        // the last piece has no line feed behind it: it is torn, or empty
        foreach (string line in lines[..^1])
            if (line.Split(' ', 2) is [var key, var value])
                values[key] = Printable(value);
        string Of(string key) => values.GetValueOrDefault(key, Unknown);
        return new LockHolder(Of("pid"), Of("host"), Of("start"), Of("program"), Of("token"));
    }

    internal bool IsWhole => Token != Unknown;

    internal byte[] ToBytes() =>
        Encoding.UTF8.GetBytes($"pid {Pid}\nhost {Host}\nstart {Start}\nprogram {Program}\ntoken {Token}\n");

    public override string ToString() => $"pid {Pid} on host {Host}, started {Start}, program {Program}";

    /// <summary>The file is anybody's: nothing of it may move a terminal's cursor.</summary>
    private static string Printable(string text) =>
        string.Concat(text.Take(200).Select(c => c is >= ' ' and <= '~' ? c : '?'));
}
