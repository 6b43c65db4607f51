using System.Buffers.Binary;

namespace LutNative.Harness.Images.Jpeg;

/// <summary>
/// Is a JPEG whole? Reads every marker and every Huffman code without computing a pixel, and says what libjpeg would
/// warn about and then fill with gray: data that ends early, a code that no table has, bytes that belong to nothing,
/// restart markers out of order, refinement scans that do not fit. Source: ITU T.81 (1992) annexes B, F, G. Arithmetic
/// coding is not looked into.
/// </summary>
internal ref struct EntropyCheck
{
    private const int StartOfImage = 0xd8;
    private const int EndOfImage = 0xd9;
    private const int StartOfScan = 0xda;
    private const int Restart0 = 0xd0;
    private const int Restart7 = 0xd7;
    private const int HuffmanTables = 0xc4;
    private const int RestartInterval = 0xdd;
    private const int Temporary = 0x01;
    private const int ArithmeticConditioning = 0xcc;
    private const int Extension = 0xc8;
    private readonly ReadOnlySpan<byte> file;
    private readonly JpegHuffman?[] tables = new JpegHuffman?[8]; // four of DC, then four of AC
    private JpegFrame? frame;
    private int restartInterval;
    private int at;

    private EntropyCheck(ReadOnlySpan<byte> file) => this.file = file;

    public static bool IsJpeg(ReadOnlySpan<byte> file) => file.StartsWith((ReadOnlySpan<byte>)[0xff, 0xd8, 0xff]);

    /// <summary>What is wrong and where, or null for a file that libjpeg decodes without a word.</summary>
    public static string? Problem(ReadOnlySpan<byte> file) => new EntropyCheck(file).Run();

    private string? Run()
    {
        at = 2;
        bool scanned = false;
        while (true)
        {
            int from = at;
            while (at < file.Length && file[at] != 0xff)
                at++;
            int skipped = at - from;
            while (at < file.Length && file[at] == 0xff)
                at++;
            if (at >= file.Length)
                return $"truncated: the end marker is missing after {file.Length} bytes";
            int marker = file[at++];
            if (skipped > 0 || marker == 0)
                return $"{Math.Max(skipped, 1)} bytes at {from} belong to nothing";
            if (marker == EndOfImage)
                return scanned ? null : "it ends before its first scan";
            if (marker is Temporary or (>= Restart0 and <= Restart7) or StartOfImage)
                continue;
            if (at + 2 > file.Length)
                return $"truncated inside the segment at {from}";
            int length = BinaryPrimitives.ReadUInt16BigEndian(file[at..]);
            if (length < 2 || at + length > file.Length)
                return $"truncated inside the segment at {from}, which claims {length} bytes";
            var body = file.Slice(at + 2, length - 2);
            at += length;
            string? problem = null;
            if (marker == HuffmanTables)
                problem = ReadTables(body);
            else if (marker == RestartInterval && body.Length >= 2)
                restartInterval = BinaryPrimitives.ReadUInt16BigEndian(body);
            else if (marker is >= 0xc0 and <= 0xcf and not (ArithmeticConditioning or Extension))
            {
                if (marker > 0xc2)
                    return null; // arithmetic, lossless or hierarchical: the decoder decides
                frame = JpegFrame.Read(body, progressive: marker == 0xc2);
                if (frame is null)
                    problem = "its frame header does not make sense";
            }
            else if (marker == StartOfScan)
            {
                problem = ReadScan(body);
                scanned = true;
            }
            if (problem is not null)
                return $"{problem}, in the segment at {from}";
        }
    }

    private string? ReadTables(ReadOnlySpan<byte> body)
    {
        while (body.Length >= 17)
        {
            int kind = body[0] >> 4;
            int number = body[0] & 15;
            int symbols = 0;
            foreach (byte count in body.Slice(1, 16))
                symbols += count;
            if (kind > 1 || number > 3 || symbols > 256 || body.Length < 17 + symbols)
                return "a Huffman table does not make sense";
            if (JpegHuffman.Of(body.Slice(1, 16), body.Slice(17, symbols).ToArray()) is not { } table)
                return "a Huffman table has more codes than there can be";
            tables[4 * kind + number] = table;
            body = body[(17 + symbols)..];
        }
        return body.Length == 0 ? null : "a Huffman table is cut short";
    }

    private string? ReadScan(ReadOnlySpan<byte> body)
    {
        if (frame is null)
            return "a scan comes before the frame";
        if (JpegScan.Read(body, frame, tables) is not { } scan)
            return "a scan's header does not make sense";
        var bits = new JpegBits(file, at);
        int restarts = 0;
        int untilRestart = restartInterval;
        for (int mcu = 0; mcu < scan.Mcus; mcu++)
        {
            if (restartInterval > 0 && untilRestart == 0)
            {
                if (End(ref bits, $"before restart {restarts}") is { } early)
                    return early;
                int found = MarkerAt(ref at);
                if (found != Restart0 + restarts % 8)
                    return $"found marker 0x{found:x2} instead of RST{restarts % 8} at {at}, {scan.Mcus - mcu} "
                        + "blocks before the end";
                bits.Restart(at);
                scan.Reset();
                restarts++;
                untilRestart = restartInterval;
            }
            untilRestart--;
            string? problem = scan.Mcu(ref bits, mcu);
            if (bits.Overrun)
                return $"its data ends early: {scan.Mcus - mcu} of {scan.Mcus} blocks are missing";
            if (problem is not null)
                return $"{problem} at block {mcu} of {scan.Mcus}";
        }
        return End(ref bits, "at its end");
    }

    /// <summary>
    /// Leaves the entropy-coded data, of which blocks must have used every byte. (libjpeg says nothing of a few that it
    /// has read ahead at the very end.)
    /// </summary>
    private string? End(ref JpegBits bits, string where)
    {
        int unused = bits.UnusedBytes;
        int from = bits.Position;
        int to = from;
        while (to + 1 < file.Length && (file[to] != 0xff || file[to + 1] == 0))
            to += file[to] == 0xff ? 2 : 1;
        at = to;
        return unused + (to - from) == 0 ? null : $"{unused + (to - from)} bytes of a scan {where} belong to no block";
    }

    private readonly int MarkerAt(ref int position)
    {
        while (position < file.Length && file[position] == 0xff)
            position++;
        return position < file.Length ? file[position++] : EndOfImage;
    }
}
