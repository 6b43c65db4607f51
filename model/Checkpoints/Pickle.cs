using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace LutNative.Model.Checkpoints;

/// <summary>A class that a pickle names. Nothing of it is ever run: it only labels what was built.</summary>
public sealed record PickleGlobal(string Module, string Name)
{
    public override string ToString() => Module + "." + Name;
}

/// <summary>What REDUCE, NEWOBJ and BUILD made: a class, its arguments, and a state.</summary>
public sealed class PickleObject(PickleGlobal type, object?[] arguments)
{
    public PickleGlobal Type { get; } = type;
    public object?[] Arguments { get; } = arguments;
    public object? State { get; internal set; }
}

/// <summary>A persistent id: in PyTorch's files a storage.</summary>
public sealed record PicklePersistent(object? Id);

/// <summary>
/// Reads a pickle as data. It is a stack machine whose only objects are numbers, text, bytes, lists, dictionaries, tuples and labelled heaps of those: no class is looked up
/// and no function called, and a class outside of a short list is refused by name. Steps, depth and sizes are bounded by the input's own length.
/// Opcodes: Python's pickletools, protocols 2 to 5, what PyTorch's files use.
/// </summary>
public sealed class Pickle
{
    /// <summary>Every class that a checkpoint of PyTorch, MAE or timm has been seen to hold.</summary>
    private static readonly HashSet<string> Allowed = new(StringComparer.Ordinal)
    {
        "collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter", "torch.Size", "torch.device", "argparse.Namespace", "pathlib.PosixPath", "pathlib.Path",
        "torch.FloatStorage", "torch.DoubleStorage", "torch.HalfStorage", "torch.BFloat16Storage", "torch.LongStorage", "torch.IntStorage", "torch.ShortStorage", "torch.CharStorage", "torch.ByteStorage", "torch.BoolStorage",
        "torch.float32", "torch.float64", "torch.float16", "torch.bfloat16", "torch.int64", "copyreg._reconstructor", "__builtin__.object", "builtins.object", "__builtin__.set", "builtins.set",
    };

    private static readonly object Mark = new();
    private readonly byte[] data;
    private readonly string name;
    private readonly List<object?> stack = [];
    private readonly Dictionary<long, object?> memo = [];
    private int at;

    private Pickle(byte[] data, string name) => (this.data, this.name) = (data, name);

    /// <param name="name">For errors.</param>
    /// <exception cref="CheckpointException">An opcode or class that is not read, or damage.</exception>
    public static object? Read(byte[] data, string name)
    {
        var p = new Pickle(data, name);
        try
        {
            return p.Run();
        }
        catch (Exception e) when (e is InvalidCastException or ArgumentOutOfRangeException or IndexOutOfRangeException or FormatException or OverflowException or DecoderFallbackException or KeyNotFoundException or ArgumentException)
        {
            throw p.Bad($"malformed ({e.Message})");
        }
    }

    private CheckpointException Bad(string why) => new(FormattableString.Invariant($"{name}: {why}, at byte {at} of the pickle; nothing of it was run. It may be damaged, or not a checkpoint"));

    private object? Run()
    {
        while (true)
        {
            byte op = data[at++];
            switch (op)
            {
                case 0x80: if (data[at++] > 5) throw Bad("a pickle protocol above 5"); break;                          // PROTO
                case 0x95: Take(8); break;                                                                              // FRAME
                case (byte)'.': return stack.Count == 1 ? stack[0] : throw Bad("it ends with more than one object");    // STOP
                case (byte)'(': stack.Add(Mark); break;
                case (byte)'0': Pop(); break;
                case (byte)'N': stack.Add(null); break;
                case 0x88: stack.Add(true); break;
                case 0x89: stack.Add(false); break;
                case (byte)'J': stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
                case (byte)'K': stack.Add((long)data[at++]); break;
                case (byte)'M': stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
                case 0x8a: stack.Add(Long(data[at++])); break;                                                          // LONG1
                case (byte)'G': stack.Add(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
                case (byte)'X': stack.Add(Text(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
                case 0x8c: stack.Add(Text(data[at++])); break;                                                          // SHORT_BINUNICODE
                case (byte)'U': stack.Add(Text(data[at++])); break;                                                     // SHORT_BINSTRING
                case (byte)'T': stack.Add(Text(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
                case (byte)'C': stack.Add(Take(data[at++]).ToArray()); break;                                           // SHORT_BINBYTES
                case (byte)'B': stack.Add(Take(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))).ToArray()); break;
                case (byte)'}': stack.Add(new Dictionary<object, object?>()); break;
                case (byte)']': stack.Add(new List<object?>()); break;
                case 0x8f: stack.Add(new List<object?>()); break;                                                       // EMPTY_SET
                case (byte)')': stack.Add(Array.Empty<object?>()); break;
                case (byte)'t': stack.Add(PopMarked()); break;
                case 0x85: stack.Add(Tuple(1)); break;
                case 0x86: stack.Add(Tuple(2)); break;
                case 0x87: stack.Add(Tuple(3)); break;
                case (byte)'a': { object? v = Pop(); ((List<object?>)Top()!).Add(v); break; }
                case (byte)'e' or 0x90: { object?[] v = PopMarked(); ((List<object?>)Top()!).AddRange(v); break; }      // APPENDS, ADDITEMS
                case (byte)'s': { object? v = Pop(), k = Pop(); Set(Top(), k, v); break; }
                case (byte)'u': { object?[] kv = PopMarked(); for (int i = 0; i + 1 < kv.Length; i += 2) Set(Top(), kv[i], kv[i + 1]); break; }
                case (byte)'q': memo[data[at++]] = Top(); break;
                case (byte)'r': memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Top(); break;
                case 0x94: memo[memo.Count] = Top(); break;                                                             // MEMOIZE
                case (byte)'h': stack.Add(memo[data[at++]]); break;
                case (byte)'j': stack.Add(memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))]); break;
                case (byte)'c': stack.Add(Global(Line(), Line())); break;
                case 0x93: { object? n = Pop(), m = Pop(); stack.Add(Global((string)m!, (string)n!)); break; }          // STACK_GLOBAL
                case (byte)'Q': stack.Add(new PicklePersistent(Pop())); break;                                          // BINPERSID
                case (byte)'R' or 0x81: { object?[] a = (object?[])Pop()!; stack.Add(Make((PickleGlobal)Pop()!, a)); break; }   // REDUCE, NEWOBJ
                case (byte)'b': { object? state = Pop(); Build(Top(), state); break; }
                default: throw Bad(FormattableString.Invariant($"opcode 0x{op:x2} is not one that checkpoints use"));
            }
        }
    }

    private PickleGlobal Global(string module, string type)
    {
        string full = module + "." + type;
        return Allowed.Contains(full) ? new PickleGlobal(module, type) : throw Bad($"it names {full}, which no checkpoint needs: loading such a file in Python could run code");
    }

    /// <summary>An ordered dictionary is its items; everything else stays a label on its arguments.</summary>
    private static object Make(PickleGlobal type, object?[] arguments) => type.Name switch
    {
        "OrderedDict" => new Dictionary<object, object?>(),
        "_rebuild_parameter" when arguments.Length > 0 && arguments[0] is PickleObject tensor => tensor,
        _ => new PickleObject(type, arguments),
    };

    private static void Build(object? target, object? state)
    {
        if (target is PickleObject o) o.State = state;
        // an OrderedDict's own state (_metadata of a state dict) says nothing about tensors
    }

    private static void Set(object? target, object? key, object? value)
    {
        if (target is Dictionary<object, object?> d && key is not null) d[key is string or long or bool or double ? key : key.ToString()!] = value;
        else if (target is not PickleObject) throw new InvalidCastException("an item is set on something that is no dictionary");
    }

    private object? Pop()
    {
        if (stack.Count == 0 || ReferenceEquals(stack[^1], Mark)) throw Bad("it takes from an empty stack");
        object? v = stack[^1];
        stack.RemoveAt(stack.Count - 1);
        return v;
    }

    private object? Top() => stack.Count > 0 && !ReferenceEquals(stack[^1], Mark) ? stack[^1] : throw Bad("it uses an empty stack");

    private object?[] Tuple(int n)
    {
        var v = new object?[n];
        for (int i = n - 1; i >= 0; i--) v[i] = Pop();
        return v;
    }

    private object?[] PopMarked()
    {
        int mark = stack.FindLastIndex(o => ReferenceEquals(o, Mark));
        if (mark < 0) throw Bad("it has no mark to go back to");
        object?[] v = [.. stack.Skip(mark + 1)];
        stack.RemoveRange(mark, stack.Count - mark);
        return v;
    }

    private ReadOnlySpan<byte> Take(long n)
    {
        if (n > data.Length - at) throw Bad(FormattableString.Invariant($"it claims {n} bytes where {data.Length - at} are left"));
        at += (int)n;
        return data.AsSpan(at - (int)n, (int)n);
    }

    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private string Text(long n) => Utf8.GetString(Take(n));

    private string Line()
    {
        int end = Array.IndexOf(data, (byte)'\n', at);
        if (end < 0) throw Bad("a name does not end");
        string text = Utf8.GetString(data, at, end - at);
        at = end + 1;
        return text;
    }

    private object Long(int n)
    {
        var value = new BigInteger(Take(n));
        return value >= long.MinValue && value <= long.MaxValue ? (long)value : value.ToString(CultureInfo.InvariantCulture);
    }
}
