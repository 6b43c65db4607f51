namespace LutNative.Harness.Images.Jpeg;

/// <summary>
/// Bits of a scan's entropy-coded segment, most significant first. 0xFF 0x00 is a byte of 0xFF, 0xFF before anything
/// else is a marker and ends the segment.
/// </summary>
internal ref struct JpegBits(ReadOnlySpan<byte> file, int position)
{
    private readonly ReadOnlySpan<byte> file = file;
    private ulong buffer;
    private int held;

    /// <summary>Where the next byte is read; after the segment's last byte, where its marker's 0xFF stands.</summary>
    public int Position { get; private set; } = position;

    /// <summary>More bits were needed than the segment has.</summary>
    public bool Overrun { get; private set; }

    /// <summary>Whole bytes that were read ahead and never used.</summary>
    public readonly int UnusedBytes => held / 8;

    /// <summary>The next bits, as if zeros followed the segment; nothing is consumed. At most 16.</summary>
    public int Peek(int bits)
    {
        if (held < bits)
            Fill();
        return held >= bits
            ? (int)(buffer >> (held - bits)) & ((1 << bits) - 1)
            : (int)(buffer << (bits - held)) & ((1 << bits) - 1);
    }

    public void Skip(int bits)
    {
        if (held < bits)
        {
            Overrun = true;
            held = 0;
            return;
        }
        held -= bits;
    }

    public int Take(int bits)
    {
        if (bits == 0)
            return 0;
        int value = Peek(bits);
        Skip(bits);
        return value;
    }

    /// <summary>
    /// The rest of a byte is padding; what was read ahead of a marker is counted by <see cref="UnusedBytes"/> before it
    /// is dropped here.
    /// </summary>
    public void Restart(int position)
    {
        held = 0;
        Position = position;
    }

    private void Fill()
    {
        while (held <= 48 && Position < file.Length)
        {
            int next = file[Position];
            int after = Position + 1;
            if (next == 0xff)
            {
                // fill bytes may stand before a marker
                while (after < file.Length && file[after] == 0xff)
                    after++;
                if (after == file.Length || file[after] != 0)
                    return;
                after++;
            }
            Position = after;
            buffer = (buffer << 8) | (uint)next;
            held += 8;
        }
    }
}
