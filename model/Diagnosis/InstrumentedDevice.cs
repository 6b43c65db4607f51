using LutNative.Model.Devices;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Diagnosis;

/// <summary>
/// Called with what an operation wrote. tensor: the parameter that it reads or makes the gradient of, or null.
/// </summary>
public delegate void Watcher(OpId op, string? tensor, string output, Mat value);

/// <summary>
/// A device of the host whose operations are watched one by one (`lut trace`), or of which one kind is computed in a
/// way the contract forbids (`--inject op=...`), to see such a fault found and explained. With neither it only passes
/// calls on.
/// </summary>
public sealed unsafe class InstrumentedDevice(Device inner) : Device
{
    public Watcher? Watch { get; set; }

    /// <summary>The kind of operation that is computed wrongly, and how; null for none.</summary>
    public (OpId Op, Variant How)? Fault { get; set; }

    /// <summary>Which parameter an address belongs to, for <see cref="Watch"/>.</summary>
    public Func<nint, string?>? NameOf { get; set; }

    public override string Name => inner.Name;

    public override long PackedFloats(int k, int columns) => inner.PackedFloats(k, columns);

    public override int UpdateChunk => inner.UpdateChunk;

    internal override int AttentionKept(int tokens) => inner.AttentionKept(tokens);

    public override void Pack(float* panels, float* source, nint ks, nint js, int k, int columns) =>
        inner.Pack(panels, source, ks, js, k, columns);

    internal override void Run<TOp>(TOp op)
    {
        Variant? wrong = Fault is { } fault && fault.Op == TOp.Id ? fault.How : null;
        if (wrong is null or Variant.FlushToZero)
            inner.Run(op);
        else
            WrongArithmetic.Run(wrong.Value, op);
        if (wrong is null && Watch is null)
            return;
        var outputs = op.Outputs;
        // results that flushing would lose
        if (wrong == Variant.FlushToZero)
            foreach (var (_, value) in outputs)
                WrongArithmetic.Flush(value);
        if (Watch is not { } watch)
            return;
        string? tensor = op.Parameter.IsEmpty ? null : NameOf?.Invoke((nint)op.Parameter.Data);
        foreach (var (name, value) in outputs)
            if (!value.IsEmpty)
                watch(TOp.Id, tensor, name, value);
    }
}
