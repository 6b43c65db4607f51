using System.Globalization;

namespace LutNative.Model.Threads;

/// <summary>
/// The caches of a core, as Linux tells them; elsewhere, or where it does not, what most servers have. They decide
/// block sizes, never a bit.
/// </summary>
internal static class Caches
{
    /// <summary>Bytes of the second-level cache of one core.</summary>
    internal static long Second { get; } = Math.Clamp(Read() ?? 1L << 20, 1L << 18, 1L << 22);

    private static long? Read()
    {
        try
        {
            // "1024K"
            string text = File.ReadAllText("/sys/devices/system/cpu/cpu0/cache/index2/size").Trim();
            return
                text.EndsWith('K')
                && long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out long kib)
                ? kib << 10
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return null;
        }
    }
}
