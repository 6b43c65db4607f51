namespace LutNative.Results;

/// <summary>
/// A Parquet file for Parquet.Net, opened after its footer and page headers were found possible. That library does not
/// stop at a file's end (it takes the missing byte for 255, for ever) nor at a page that leads back to itself, so a
/// read beyond the end and reading far more than there is end here.
/// </summary>
public sealed class CheckedParquet : Stream
{
    /// <summary>A file may be read twice and a little: once is what a reader of all columns needs.</summary>
    private const long Slack = 1 << 20;
    private readonly Stream file;
    private readonly bool owned;
    private long budget;

    private CheckedParquet(Stream file, bool owned)
    {
        this.file = file;
        this.owned = owned;
        budget = 2 * file.Length + Slack;
    }

    /// <param name="mostUncompressed">Bytes that all pages may take together when they are unpacked.</param>
    /// <param name="pages">Walk the headers of all pages too: once for a file that is opened again and again.</param>
    /// <exception cref="DamagedParquetException">The file claims what cannot be, or more than that.</exception>
    /// <exception cref="IOException">It cannot be read, or is no file.</exception>
    public static CheckedParquet Open(string path, long mostUncompressed, bool pages = true)
    {
        var file = PlainFile.OpenRead(path);
        try
        {
            return Checked(file, true, mostUncompressed, pages);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The same for a file that is open, and stays so.</summary>
    internal static CheckedParquet Over(Stream file, long mostUncompressed) =>
        Checked(file, false, mostUncompressed, true);

    private static CheckedParquet Checked(Stream file, bool owned, long mostUncompressed, bool pages)
    {
        var chunks = ParquetFooter.Read(file, mostUncompressed);
        long left = mostUncompressed;
        if (pages)
            foreach (var chunk in chunks)
                ParquetPages.Check(file, chunk, ref left);
        file.Position = 0;
        return new CheckedParquet(file, owned);
    }

    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;
    public override long Length => file.Length;

    public override long Position
    {
        get => file.Position;
        set => file.Position = value;
    }

    public override long Seek(long offset, SeekOrigin origin) => file.Seek(offset, origin);

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        int read = file.Read(buffer);
        Spend(read, buffer.Length);
        return read;
    }

    public override int ReadByte()
    {
        int read = file.ReadByte();
        Spend(read < 0 ? 0 : 1, 1);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Task.FromResult(Read(buffer.AsSpan(offset, count)));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        new(Read(buffer.Span));

    public override void Flush() { }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && owned)
            file.Dispose();
        base.Dispose(disposing);
    }

    private void Spend(int read, int asked)
    {
        if (read == 0 && asked > 0)
            throw new DamagedParquetException($"its pages lead past its end at byte {file.Length}");
        budget -= read;
        if (budget < 0)
            throw new DamagedParquetException(
                $"its pages lead back to themselves: more than twice its {file.Length} bytes were read"
            );
    }
}
