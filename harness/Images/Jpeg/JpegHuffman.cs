namespace LutNative.Harness.Images.Jpeg;

/// <summary>
/// One Huffman table (ITU T.81 annex C and F.2.2.3): codes of up to 16 bits, looked up by the first eight.
/// </summary>
internal sealed class JpegHuffman
{
    private const int LookAhead = 8;
    private const int LongestCode = 16;
    private readonly short[] quick = new short[1 << LookAhead]; // length << 8 | symbol; 0: a longer code
    private readonly int[] most = new int[LongestCode + 2]; // the largest code of a length; -1 for none
    private readonly int[] first = new int[LongestCode + 1]; // place of a length's first symbol, less its first code
    private readonly byte[] symbols;

    private JpegHuffman(byte[] symbols) => this.symbols = symbols;

    /// <param name="counts">[16] codes of each length.</param>
    /// <param name="symbols">In the order of their codes.</param>
    /// <returns>Null when there are more codes than a length has room for.</returns>
    public static JpegHuffman? Of(ReadOnlySpan<byte> counts, byte[] symbols)
    {
        var table = new JpegHuffman(symbols);
        int code = 0;
        int place = 0;
        for (int length = 1; length <= LongestCode; length++)
        {
            table.first[length] = place - code;
            for (int i = 0; i < counts[length - 1]; i++, code++, place++)
                if (length <= LookAhead)
                    table
                        .quick.AsSpan(code << (LookAhead - length), 1 << (LookAhead - length))
                        .Fill((short)((length << 8) | symbols[place]));
            if (code > 1 << length)
                return null;
            table.most[length] = counts[length - 1] == 0 ? -1 : code - 1;
            code <<= 1;
        }
        table.most[LongestCode + 1] = int.MaxValue;
        return table;
    }

    /// <summary>The next symbol, or -1 where no code begins so.</summary>
    public int Decode(ref JpegBits bits)
    {
        int found = quick[bits.Peek(LookAhead)];
        if (found != 0)
        {
            bits.Skip(found >> 8);
            return found & 0xff;
        }
        int ahead = bits.Peek(LongestCode);
        int length = 1;
        while (length <= LongestCode && ahead >> (LongestCode - length) > most[length])
            length++;
        if (length > LongestCode)
            return -1;
        bits.Skip(length);
        return symbols[first[length] + (ahead >> (LongestCode - length))];
    }
}
