using System.Runtime.InteropServices;
using System.Text;

namespace LutNative.Harness.Surroundings;

/// <summary>
/// Standard output or standard error as the rest of the program sees it: a write never throws, whatever stands behind
/// it (a full disk, a closed descriptor, a pipe whose reader left). What could not be written is remembered, for the
/// exit code. With patience it also never waits longer than that for a reader who does not read; what he missed is
/// dropped.
/// </summary>
internal sealed partial class StandardStream : TextWriter
{
    private const int Chunk = 4096; // a pipe that is ready takes so much at once (PIPE_BUF)
    private const short Writable = 4;
    private readonly Lock gate = new();
    private readonly int descriptor;
    private readonly TimeSpan? patience;
    private Stream? stream;
    private bool stuck;

    private StandardStream(int descriptor, TimeSpan? patience)
    {
        this.descriptor = descriptor;
        this.patience = patience;
    }

    /// <summary>Waits for its reader, as every program does.</summary>
    internal static StandardStream Out { get; } = new(1, null);

    /// <summary>Progress and messages: nobody has to read them for the run to go on.</summary>
    internal static StandardStream Error { get; } = new(2, TimeSpan.FromSeconds(1));

    public override Encoding Encoding => Encoding.UTF8;

    /// <summary>
    /// Why something was not written, or null. A pipe whose reader left (`| head`) is no failure: he has what he
    /// wanted.
    /// </summary>
    internal string? Failure { get; private set; }

    internal static void Install()
    {
        Console.SetOut(Out);
        Console.SetError(Error);
    }

    public override void Write(char value) => Write(value.ToString());

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void WriteLine(string? value) => Write(value + NewLine);

    public override void Write(string? value)
    {
        if (value is not { Length: > 0 })
            return;
        lock (gate)
            try
            {
                if (!Descriptors.WasOpen(descriptor))
                    throw new IOException("it was closed when the program was started");
                stream ??= descriptor == 1 ? Console.OpenStandardOutput() : Console.OpenStandardError();
                Write(Console.OutputEncoding.GetBytes(value));
            }
            catch (Exception e)
                when (e
                        is IOException
                            or UnauthorizedAccessException
                            or ObjectDisposedException
                            or NotSupportedException
                )
            {
                Failure ??= (e.InnerException ?? e).Message;
            }
    }

    private void Write(byte[] bytes)
    {
        if (patience is not { } most || OperatingSystem.IsWindows())
        {
            stream!.Write(bytes);
            stream.Flush();
            return;
        }
        for (int from = 0; from < bytes.Length; from += Chunk)
        {
            // a reader who did not read last time gets no second wait until he does
            if (!Ready(stuck ? TimeSpan.Zero : most))
            {
                stuck = true;
                Failure ??= "its reader does not read";
                return;
            }
            stuck = false;
            stream!.Write(bytes, from, Math.Min(Chunk, bytes.Length - from));
        }
    }

    private bool Ready(TimeSpan wait)
    {
        var poll = new PollDescriptor { Descriptor = descriptor, Events = Writable };
        return Poll(ref poll, 1, (int)wait.TotalMilliseconds) != 0; // an error is told by the write itself
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Happened;
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref PollDescriptor descriptors, nuint count, int milliseconds);
}
