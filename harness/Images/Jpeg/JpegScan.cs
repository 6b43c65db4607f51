namespace LutNative.Harness.Images.Jpeg;

/// <summary>
/// One scan (T.81 B.2.3): reads the codes of its blocks, sequential or progressive (annex G), and keeps of their values
/// only what later codes depend on.
/// </summary>
internal sealed class JpegScan
{
    private const string BadCode = "a code that no table has";
    private readonly JpegFrame frame;
    private readonly (JpegComponent Component, JpegHuffman? Dc, JpegHuffman? Ac)[] parts;
    private readonly int first;
    private readonly int last;
    private readonly bool refines;
    private int endOfBands;

    private JpegScan(
        JpegFrame frame,
        (JpegComponent, JpegHuffman?, JpegHuffman?)[] parts,
        int first,
        int last,
        bool refines
    )
    {
        this.frame = frame;
        this.parts = parts;
        this.first = first;
        this.last = last;
        this.refines = refines;
    }

    /// <summary>
    /// Units of the scan: of all its components' blocks together, or single blocks where it has one component.
    /// </summary>
    public int Mcus =>
        parts.Length > 1 ? frame.McusWide * frame.McusHigh : parts[0].Component.Wide * parts[0].Component.High;

    /// <returns>Null where the header is not one, or needs a table that is not there.</returns>
    public static JpegScan? Read(ReadOnlySpan<byte> body, JpegFrame frame, ReadOnlySpan<JpegHuffman?> tables)
    {
        if (body.Length < 1 || body[0] is < 1 or > 4 || body.Length < 4 + 2 * body[0])
            return null;
        int count = body[0];
        int first = body[1 + 2 * count];
        int last = body[2 + 2 * count];
        int high = body[3 + 2 * count] >> 4;
        if (!frame.Progressive && (first != 0 || last != 63 || body[3 + 2 * count] != 0))
            return null;
        if (first > last || last > 63 || (frame.Progressive && first == 0 && last != 0) || (first > 0 && count > 1))
            return null;
        int low = body[3 + 2 * count] & 15;
        var parts = new (JpegComponent, JpegHuffman?, JpegHuffman?)[count];
        for (int i = 0; i < count; i++)
        {
            int id = body[1 + 2 * i];
            int dc = body[2 + 2 * i] >> 4;
            int ac = body[2 + 2 * i] & 15;
            if (dc > 3 || ac > 3 || Array.Find(frame.Components, c => c.Id == id) is not { } component)
                return null;
            parts[i] = (component, tables[dc], tables[4 + ac]);
            bool needsDc = first == 0 && high == 0;
            bool needsAc = last > 0;
            if ((needsDc && parts[i].Item2 is null) || (needsAc && parts[i].Item3 is null))
                return null;
            if (frame.Progressive && !component.Progress(first, last, high, low))
                return null;
        }
        return new JpegScan(frame, parts, first, last, high > 0);
    }

    public void Reset() => endOfBands = 0;

    /// <summary>Reads one unit; what is wrong with it, or null.</summary>
    public string? Mcu(ref JpegBits bits, int mcu)
    {
        if (parts.Length == 1)
        {
            var only = parts[0].Component;
            return Block(ref bits, parts[0], mcu / only.Wide * only.Stride + mcu % only.Wide);
        }
        int row = mcu / frame.McusWide;
        int column = mcu % frame.McusWide;
        foreach (var part in parts)
            for (int y = 0; y < part.Component.Vertical; y++)
            for (int x = 0; x < part.Component.Horizontal; x++)
            {
                int place =
                    (row * part.Component.Vertical + y) * part.Component.Stride
                    + column * part.Component.Horizontal
                    + x;
                if (Block(ref bits, part, place) is { } problem)
                    return problem;
            }
        return null;
    }

    private string? Block(
        ref JpegBits bits,
        (JpegComponent Component, JpegHuffman? Dc, JpegHuffman? Ac) part,
        int place
    )
    {
        if (!frame.Progressive)
            return Sequential(ref bits, part.Dc!, part.Ac!);
        if (first == 0)
            return refines ? DcRefinement(ref bits) : Dc(ref bits, part.Dc!);
        ref ulong nonZero = ref part.Component.NonZero[place];
        return refines ? AcRefinement(ref bits, part.Ac!, ref nonZero) : AcFirst(ref bits, part.Ac!, ref nonZero);
    }

    private static string? Dc(ref JpegBits bits, JpegHuffman table)
    {
        int size = table.Decode(ref bits);
        if (size is < 0 or > 16)
            return BadCode;
        bits.Take(size);
        return null;
    }

    private static string? DcRefinement(ref JpegBits bits)
    {
        bits.Take(1);
        return null;
    }

    private static string? Sequential(ref JpegBits bits, JpegHuffman dc, JpegHuffman ac)
    {
        if (Dc(ref bits, dc) is { } problem)
            return problem;
        for (int k = 1; k < 64; k++)
        {
            int code = ac.Decode(ref bits);
            int run = code >> 4;
            int size = code & 15;
            if (code < 0)
                return BadCode;
            if (size == 0)
            {
                if (run != 15)
                    return null;
                k += 15;
                continue;
            }
            k += run;
            bits.Take(size);
        }
        return null;
    }

    private string? AcFirst(ref JpegBits bits, JpegHuffman table, ref ulong nonZero)
    {
        if (endOfBands > 0)
        {
            endOfBands--;
            return null;
        }
        for (int k = first; k <= last; k++)
        {
            int code = table.Decode(ref bits);
            int run = code >> 4;
            int size = code & 15;
            if (code < 0)
                return BadCode;
            if (size == 0)
            {
                if (run < 15)
                {
                    endOfBands = (1 << run) - 1 + bits.Take(run);
                    return null;
                }
                k += 15;
                continue;
            }
            k += run;
            bits.Take(size);
            if (k < 64)
                nonZero |= 1UL << k;
        }
        return null;
    }

    private string? AcRefinement(ref JpegBits bits, JpegHuffman table, ref ulong nonZero)
    {
        int k = first;
        if (endOfBands == 0)
            for (; k <= last; k++)
            {
                int code = table.Decode(ref bits);
                int run = code >> 4;
                int size = code & 15;
                if (code < 0)
                    return BadCode;
                if (size > 1)
                    return "a new coefficient that is not one bit";
                if (size == 1)
                    bits.Take(1);
                else if (run < 15)
                {
                    endOfBands = (1 << run) + bits.Take(run);
                    break;
                }
                // correction bits of what is known, and as many zeros as the run has
                for (; k <= last; k++)
                    if ((nonZero >> k & 1) != 0)
                        bits.Take(1);
                    else if (--run < 0)
                        break;
                if (size == 1 && k < 64)
                    nonZero |= 1UL << k;
            }
        if (endOfBands == 0)
            return null;
        for (; k <= last; k++)
            if ((nonZero >> k & 1) != 0)
                bits.Take(1);
        endOfBands--;
        return null;
    }
}
