using System.Text;

namespace LutNative.Harness.Tests.Cli;

/// <summary>
/// While it lives, what the code of this call writes to the console, on any thread that the call starts, is kept here.
/// The console is the process's, the calls of tests run side by side: each writes to its own.
/// </summary>
internal sealed class CapturedStreams : IDisposable
{
    private static readonly AsyncLocal<CapturedStreams?> current = new();
    private readonly StringWriter output = new();
    private readonly StringWriter error = new();

    static CapturedStreams()
    {
        Console.SetOut(new Sorter(Console.Out, c => c.output));
        Console.SetError(new Sorter(Console.Error, c => c.error));
    }

    internal CapturedStreams() => current.Value = this;

    internal string Out => Text(output);

    internal string Error => Text(error);

    public void Dispose() => current.Value = null;

    private static string Text(StringWriter writer)
    {
        lock (writer)
            return writer.ToString();
    }

    /// <summary>Hands each write to the call that it comes from, or to the console.</summary>
    private sealed class Sorter(TextWriter console, Func<CapturedStreams, StringWriter> of) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        private TextWriter Target => current.Value is { } call ? of(call) : console;

        public override void Write(char value) => Write(value.ToString());

        public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

        public override void Write(string? value)
        {
            var target = Target;
            lock (target)
                target.Write(value);
        }

        public override void WriteLine(string? value) => Write(value + NewLine);

        public override void Flush() => Target.Flush();
    }
}
