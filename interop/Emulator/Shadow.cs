namespace LutNative.Interop.Emulator;

/// <summary>
/// What the checker remembers of a memory's words: written ever or not, and who touched a word last. Two threads may
/// touch a word, one of them writing, only with an order between them: inside a block a barrier, inside a warp also a
/// point where its lanes come together; between blocks of one launch there is none.
/// </summary>
internal sealed class Shadow(int words)
{
    private struct Touch
    {
        public int Block;
        public int Thread;
        public int Epoch;
    }

    private readonly Touch[] writer = new Touch[words];
    private readonly Touch[] reader = new Touch[words];
    private readonly bool[] written = new bool[words];

    internal void Forget()
    {
        Array.Clear(writer);
        Array.Clear(reader);
    }

    internal void Lose() => Array.Clear(written);

    internal void Write(long word, long count) => written.AsSpan((int)word, (int)count).Fill(true);

    /// <summary>
    /// Records an access; what is wrong with it, or null. block and thread count from 1; epoch is the block's barriers
    /// and the warp's meetings.
    /// </summary>
    internal string? Access(long word, int block, int thread, int epoch, bool write)
    {
        ref Touch w = ref writer[word];
        ref Touch r = ref reader[word];
        if (w.Block != 0 && w.Block != block)
            return $"race: block {w.Block - 1} of this launch wrote it";
        if (w.Block != 0 && Races(w, thread, epoch))
            return $"race: thread {w.Thread - 1} wrote it since the last barrier";
        var now = new Touch
        {
            Block = block,
            Thread = thread,
            Epoch = epoch,
        };
        if (write)
        {
            if (r.Block != 0 && r.Block != block)
                return "race: another block of this launch reads it";
            if (r.Block != 0 && Races(r, thread, epoch))
                return $"race: {(r.Thread < 0 ? "several threads" : $"thread {r.Thread - 1}")} read it since the "
                    + "last barrier";
            w = now;
            written[word] = true;
            return null;
        }
        if (!written[word])
            return "read and nobody has written it";
        // several readers: Thread -1 stands for threads of several warps, Block -1 for several blocks
        if (r.Block != 0 && r.Block != block)
            now.Block = -1;
        else if (
            r.Block == block
            && r.Epoch >> 12 == epoch >> 12
            && (r.Thread < 0 || (r.Thread - 1) / 32 != (thread - 1) / 32)
        )
            now.Thread = -1;
        r = now;
        return null;
    }

    private static bool Races(in Touch before, int thread, int epoch) =>
        before.Epoch >> 12 == epoch >> 12
        && before.Thread != thread
        && (before.Thread < 0 || (before.Thread - 1) / 32 != (thread - 1) / 32 || before.Epoch == epoch);
}
