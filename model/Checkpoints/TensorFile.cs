using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace LutNative.Model.Checkpoints;

/// <summary>
/// An open file of tensors, in either format: what its tensors are and where they lie. Their values stay in the file
/// until somebody reads them.
/// </summary>
public sealed class TensorFile : IDisposable
{
    private readonly SafeFileHandle handle;
    private readonly Dictionary<string, FileTensor> tensors = new(StringComparer.Ordinal);

    private Window? window;

    private TensorFile(string path, SafeFileHandle handle, long length)
    {
        Path = path;
        this.handle = handle;
        Length = length;
    }

    public string Path { get; }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    public IReadOnlyDictionary<string, FileTensor> Tensors => tensors;
    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// Classes of things that lie beside the tensors (of a pickle): labels, of which nothing was made.
    /// </summary>
    public IReadOnlyList<string> Beside { get; internal set; } = [];

    /// <exception cref="UnreadableCheckpointException">The system does not let it be opened.</exception>
    internal static TensorFile Open(string path)
    {
        try
        {
            // opening a pipe or a folder must fail at once
            if (!File.Exists(path))
                throw new FileNotFoundException("there is no such file");
            var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return new TensorFile(path, handle, RandomAccess.GetLength(handle));
        }
        catch (Exception e)
            when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UnreadableCheckpointException(path, e);
        }
    }

    /// <summary>There is one: tensors are read one after the other.</summary>
    internal Window WindowOf(FileTensor tensor, int bytes) =>
        window is not null && ReferenceEquals(window.Tensor, tensor) ? window : window = new Window(tensor, bytes);

    internal bool Add(FileTensor tensor) => tensors.TryAdd(tensor.Name, tensor);

    /// <summary>Fills to with the bytes from offset on.</summary>
    /// <exception cref="CheckpointException">The file ends before.</exception>
    internal void Read(long offset, Span<byte> to)
    {
        try
        {
            while (to.Length > 0)
            {
                int n = RandomAccess.Read(handle, to, offset);
                if (n == 0)
                    throw new CheckpointException(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{Path} ends at byte {offset}, in the middle of what it declares; it may be "
                                + $"truncated, use another copy"
                        )
                    );
                to = to[n..];
                offset += n;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new UnreadableCheckpointException(Path, e);
        }
    }

    /// <summary>count bytes from offset on.</summary>
    internal byte[] Bytes(long offset, long count)
    {
        byte[] bytes = new byte[count];
        Read(offset, bytes);
        return bytes;
    }

    public void Dispose() => handle.Dispose();
}
