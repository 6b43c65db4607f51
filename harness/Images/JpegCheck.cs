using System.Buffers.Binary;

namespace LutNative.Harness.Images;

/// <summary>
/// What a JPEG's markers say about damage that the decoder passes over with a warning that it keeps to itself: restart
/// markers that are lost or out of order, and an end that is missing. Entropy-coded bytes are not decoded here: damage
/// inside them that keeps the markers is not seen (docs/DATA.md).
/// </summary>
internal static class JpegCheck
{
    private readonly record struct Component(byte Id, int Across, int Down);

    /// <summary>Is there no end marker after the last scan?</summary>
    internal static bool LacksEnd(ReadOnlySpan<byte> file) => Walk(file, out bool ended) is null && !ended;

    /// <summary>
    /// Damage among the restart markers in words, or null. Files without such markers cost one pass over their headers.
    /// </summary>
    internal static string? RestartFault(ReadOnlySpan<byte> file) => Walk(file, out _);

    private static string? Walk(ReadOnlySpan<byte> file, out bool ended)
    {
        ended = false;
        int width = 0;
        int height = 0;
        int interval = 0;
        Component[] components = [];
        for (int at = 2; at + 4 <= file.Length; )
        {
            // fill bytes, and bytes that belong to nothing, are passed over as decoders do
            int next = file[at..].IndexOf((byte)0xff);
            if (next < 0 || at + next + 1 >= file.Length)
                return null;
            at += next;
            byte marker = file[at + 1];
            if (marker is 0xff or 0x00 or 0x01 or (>= 0xd0 and <= 0xd8))
            {
                at += marker == 0xff ? 1 : 2;
                continue;
            }
            if (marker == 0xd9)
            {
                ended = true;
                return null;
            }
            if (at + 4 > file.Length)
                return null;
            int length = BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
            if (length < 2 || at + 2 + length > file.Length)
                return null;
            var body = file.Slice(at + 4, length - 2);
            at += 2 + length;
            if (
                marker is >= 0xc0 and <= 0xcf and not (0xc4 or 0xc8 or 0xcc)
                && body.Length >= 6
                && body.Length >= 6 + 3 * body[5]
            )
            {
                (height, width) = (
                    BinaryPrimitives.ReadUInt16BigEndian(body[1..]),
                    BinaryPrimitives.ReadUInt16BigEndian(body[3..])
                );
                components = new Component[body[5]];
                for (int c = 0; c < components.Length; c++)
                    components[c] = new Component(
                        body[6 + 3 * c],
                        Math.Max(1, body[7 + 3 * c] >> 4),
                        Math.Max(1, body[7 + 3 * c] & 15)
                    );
            }
            else if (marker == 0xdd && body.Length >= 2)
                interval = BinaryPrimitives.ReadUInt16BigEndian(body);
            else if (marker == 0xda && body.Length > 0)
            {
                long units =
                    interval > 0 && height > 0 && body.Length >= 1 + 2 * body[0]
                        ? Units(width, height, components, body)
                        : 0;
                if (Restarts(file, ref at, units > 0 ? (units + interval - 1) / interval - 1 : -1) is { } fault)
                    return fault;
            }
        }
        return null;
    }

    /// <summary>Coded units of a scan: of all its components together, or blocks of its only one.</summary>
    private static long Units(int width, int height, Component[] all, ReadOnlySpan<byte> scan)
    {
        if (all.Length == 0)
            return 0;
        int across = all.Max(c => c.Across);
        int down = all.Max(c => c.Down);
        int cell = 8;
        if (scan[0] > 1)
            return (long)Parts(width, cell * across) * Parts(height, cell * down);
        byte id = scan.Length > 1 ? scan[1] : (byte)0;
        var one = Array.Find(all, c => c.Id == id);
        return one.Across == 0
            ? 0
            : (long)Parts(Parts(width * one.Across, across), cell) * Parts(Parts(height * one.Down, down), cell);
    }

    private static int Parts(int length, int part) => (length + part - 1) / part;

    /// <summary>Passes over a scan's bytes up to the marker that follows it.</summary>
    /// <param name="expected">Restart markers that it must have, or -1 where it may have any.</param>
    private static string? Restarts(ReadOnlySpan<byte> file, ref int at, long expected)
    {
        long seen = 0;
        while (at + 1 < file.Length)
        {
            int next = file[at..].IndexOf((byte)0xff);
            if (next < 0 || at + next + 1 >= file.Length)
                break;
            at += next;
            byte marker = file[at + 1];
            if (marker is >= 0xd0 and <= 0xd7)
            {
                if (expected >= 0 && marker != 0xd0 + seen % 8)
                    return $"it is damaged: restart marker {marker - 0xd0} stands where {seen % 8} is due";
                seen++;
                at += 2;
            }
            else if (marker is 0x00 or 0xff)
                at += marker == 0xff ? 1 : 2;
            else
                return expected >= 0 && seen != expected
                    ? $"it is damaged: a scan has {seen} restart markers in place of {expected}"
                    : null;
        }
        at = file.Length; // no marker follows: the decoder says that it is truncated
        return null;
    }
}
