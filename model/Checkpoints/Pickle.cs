using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace LutNative.Model.Checkpoints;

/// <summary>
/// Reads a pickle as data. It is a stack machine whose only objects are numbers, text, bytes, lists, dictionaries,
/// tuples and labels: no class is looked up and no function called. Of the few classes that tensors consist of the
/// arguments are kept; an object of any other class is an opaque label. Steps, depth and sizes are bounded by the
/// input's own length, and the objects in number. Opcodes: Python's pickletools, protocols 0 to 5.
/// </summary>
public sealed class Pickle
{
    /// <summary>A state of ten thousand tensors has about two hundred thousand.</summary>
    private const int MostObjects = 2_000_000;

    /// <summary>What tensors, and dictionaries of them, are made of.</summary>
    private static readonly HashSet<string> ReadAsData = new(StringComparer.Ordinal)
    {
        "collections.OrderedDict",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_tensor_v3",
        "torch._utils._rebuild_parameter",
        "torch.Size",
    };

    private static readonly object Mark = new();
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);
    private readonly byte[] data;
    private readonly string name;
    private readonly List<object?> stack = [];
    private readonly List<int> marks = [];
    private readonly Dictionary<long, object?> memo = [];
    private readonly SortedSet<string> opaque = new(StringComparer.Ordinal);
    private int at;
    private int objects;

    private Pickle(byte[] data, string name)
    {
        this.data = data;
        this.name = name;
    }

    /// <param name="name">For errors.</param>
    /// <param name="opaque">The classes of which nothing was made.</param>
    /// <exception cref="CheckpointException">Damage, or more objects than any checkpoint has.</exception>
    public static object? Read(byte[] data, string name, out IReadOnlyCollection<string> opaque)
    {
        var p = new Pickle(data, name);
        opaque = p.opaque;
        try
        {
            return p.Run();
        }
        catch (Exception e)
            when (e
                    is InvalidCastException
                        or ArgumentException
                        or IndexOutOfRangeException
                        or FormatException
                        or OverflowException
                        or KeyNotFoundException
            )
        {
            throw p.Bad($"malformed ({e.Message})");
        }
    }

    private CheckpointException Bad(string why) =>
        new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: {why}, at byte {at} of the pickle; nothing of it was run. It may be damaged, or "
                    + $"not a checkpoint"
            )
        );

    /// <summary>What protocol 0 writes as INT: booleans are 01 and 00.</summary>
    private static object IntegerOrBoolean(string text) =>
        text switch
        {
            "01" => true,
            "00" => false,
            _ => long.Parse(text, CultureInfo.InvariantCulture),
        };

    private object? Run()
    {
        while (true)
        {
            byte op = data[at++];
            // csharpier-ignore - a table of opcodes
            switch (op)
            {
                // PROTO
                case 0x80: if (data[at++] > 5) throw Bad("a pickle protocol above 5"); break;
                // FRAME
                case 0x95: Take(8); break;
                // STOP
                case (byte)'.': return stack.Count == 1 ? stack[0] : throw Bad("it ends with more than one object");
                case (byte)'(': marks.Add(stack.Count); Push(Mark); break;
                case (byte)'0': if (stack.Count > 0 && ReferenceEquals(stack[^1], Mark)) PopMarked(); else Pop(); break;
                case (byte)'1': PopMarked(); break;
                case (byte)'2': Push(Top()); break;
                case (byte)'N': Push(null); break;
                case 0x88: Push(true); break;
                case 0x89: Push(false); break;
                case (byte)'I': Push(IntegerOrBoolean(Line())); break;
                case (byte)'L': Push(Line().TrimEnd('L')); break;
                case (byte)'F': Push(double.Parse(Line(), CultureInfo.InvariantCulture)); break;
                case (byte)'S' or (byte)'V': Push(Line().Trim('\'', '"')); break;
                case (byte)'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
                case (byte)'K': Push((long)data[at++]); break;
                case (byte)'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
                // LONG1
                case 0x8a: Push(Long(data[at++])); break;
                // LONG4
                case 0x8b: Push(Long(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
                case (byte)'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
                case (byte)'X' or (byte)'T': Push(Text(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
                // SHORT_BINUNICODE, SHORT_BINSTRING
                case 0x8c or (byte)'U': Push(Text(data[at++])); break;
                // BINUNICODE8
                case 0x8d: Push(Text(BinaryPrimitives.ReadInt64LittleEndian(Take(8)))); break;
                // SHORT_BINBYTES
                case (byte)'C': Push(Take(data[at++]).ToArray()); break;
                case (byte)'B': Push(Take(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))).ToArray()); break;
                // BINBYTES8, BYTEARRAY8
                case 0x8e or 0x96: Push(Take(BinaryPrimitives.ReadInt64LittleEndian(Take(8))).ToArray()); break;
                case (byte)'}': Push(new Dictionary<object, object?>()); break;
                // EMPTY_LIST, EMPTY_SET
                case (byte)']' or 0x8f: Push(new List<object?>()); break;
                case (byte)')': Push(Array.Empty<object?>()); break;
                case (byte)'t': Push(PopMarked()); break;
                // LIST, FROZENSET
                case (byte)'l' or 0x91: Push(new List<object?>(PopMarked())); break;
                case (byte)'d': { var made = new Dictionary<object, object?>(); SetAll(made, PopMarked()); Push(made); break; }
                case 0x85: Push(Tuple(1)); break;
                case 0x86: Push(Tuple(2)); break;
                case 0x87: Push(Tuple(3)); break;
                case (byte)'a': { object? v = Pop(); Append(Top(), [v]); break; }
                case (byte)'e' or 0x90: { object?[] v = PopMarked(); Append(Top(), v); break; }                         // APPENDS, ADDITEMS
                case (byte)'s': { object? v = Pop(), k = Pop(); SetAll(Top(), [k, v]); break; }
                case (byte)'u': { object?[] kv = PopMarked(); SetAll(Top(), kv); break; }
                case (byte)'p': Memoize(long.Parse(Line(), CultureInfo.InvariantCulture)); break;
                case (byte)'q': Memoize(data[at++]); break;
                case (byte)'r': Memoize(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); break;
                // MEMOIZE
                case 0x94: Memoize(memo.Count); break;
                case (byte)'g': Push(memo[long.Parse(Line(), CultureInfo.InvariantCulture)]); break;
                case (byte)'h': Push(memo[data[at++]]); break;
                case (byte)'j': Push(memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))]); break;
                case (byte)'c': { string module = Line(); Push(new PickleGlobal(module, Line())); break; }
                case 0x93: { object? n = Pop(), m = Pop(); Push(new PickleGlobal((string)m!, (string)n!)); break; }     // STACK_GLOBAL
                case (byte)'P': Push(new PicklePersistent(Line())); break;
                // BINPERSID
                case (byte)'Q': Push(new PicklePersistent(Pop())); break;
                case (byte)'R' or 0x81: { object?[] a = Arguments(Pop()); Push(Make(Pop(), a)); break; }                // REDUCE, NEWOBJ
                case 0x92: { Pop(); object?[] a = Arguments(Pop()); Push(Make(Pop(), a)); break; }                      // NEWOBJ_EX
                case (byte)'i': { var type = new PickleGlobal(Line(), Line()); Push(Make(type, PopMarked())); break; }  // INST
                case (byte)'o': { object?[] a = PopMarked(); Push(Make(a[0], a[1..])); break; }                         // OBJ
                // BUILD: no object here takes a state
                case (byte)'b': Pop(); Top(); break;
                default: throw Bad(FormattableString.Invariant($"opcode 0x{op:x2} is not one that checkpoints use"));
            }
        }
    }

    /// <summary>An ordered dictionary is its items and a parameter its tensor; everything else stays a label.</summary>
    private object Make(object? callable, object?[] arguments)
    {
        var type = callable switch
        {
            PickleGlobal g => g,
            PickleOpaque o => o.Type,
            _ => throw new InvalidCastException("something is made of what is no class"),
        };
        if (callable is PickleGlobal && ReadAsData.Contains(type.ToString()))
            return type.Name switch
            {
                "OrderedDict" => new Dictionary<object, object?>(),
                "_rebuild_parameter" when arguments.Length > 0 && arguments[0] is PickleObject or PickleOpaque =>
                    arguments[0]!,
                _ => new PickleObject(type, arguments),
            };
        opaque.Add(type.ToString());
        return new PickleOpaque(type, arguments.Any(Holds));

        // the function that rebuilds a subclass of tensors has them one tuple deeper
        static bool Holds(object? o) =>
            o is PicklePersistent or PickleObject or PickleOpaque { HoldsTensor: true }
            || (o is object?[] inner && inner.Any(i => i is PicklePersistent or PickleObject));
    }

    private static object?[] Arguments(object? o) =>
        o as object?[] ?? (o is PickleOpaque ? [] : throw new InvalidCastException("arguments that are no tuple"));

    private static void SetAll(object? target, object?[] pairs)
    {
        if (target is PickleOpaque or PickleObject)
            return;
        if (target is not Dictionary<object, object?> d)
            throw new InvalidCastException("an item is set on something that is no dictionary");
        for (int i = 0; i + 1 < pairs.Length; i += 2)
            if (pairs[i] is string or long or bool or double)
                d[pairs[i]!] = pairs[i + 1]; // by any other key nobody can ask for it
    }

    private static void Append(object? target, object?[] items)
    {
        if (target is List<object?> list)
            list.AddRange(items);
        else if (target is not PickleOpaque)
            throw new InvalidCastException("an item is added to something that is no list");
    }

    private void Push(object? o)
    {
        Count();
        stack.Add(o);
    }

    private void Memoize(long key)
    {
        Count();
        memo[key] = Top();
    }

    private void Count()
    {
        if (++objects > MostObjects)
            throw Bad(FormattableString.Invariant($"it has more than {MostObjects} objects"));
    }

    private object? Pop()
    {
        object? v = Top();
        stack.RemoveAt(stack.Count - 1);
        return v;
    }

    private object? Top() =>
        stack.Count > 0 && !ReferenceEquals(stack[^1], Mark) ? stack[^1] : throw Bad("it uses an empty stack");

    private object?[] Tuple(int n)
    {
        var v = new object?[n];
        for (int i = n - 1; i >= 0; i--)
            v[i] = Pop();
        return v;
    }

    private object?[] PopMarked()
    {
        if (marks.Count == 0)
            throw Bad("it has no mark to go back to");
        int mark = marks[^1];
        marks.RemoveAt(marks.Count - 1);
        object?[] v = [.. stack.GetRange(mark + 1, stack.Count - mark - 1)];
        stack.RemoveRange(mark, stack.Count - mark);
        return v;
    }

    private ReadOnlySpan<byte> Take(long n)
    {
        if (n < 0 || n > data.Length - at)
            throw Bad(FormattableString.Invariant($"it claims {n} bytes where {data.Length - at} are left"));
        at += (int)n;
        return data.AsSpan(at - (int)n, (int)n);
    }

    private string Text(long n) => Utf8.GetString(Take(n));

    private string Line()
    {
        int end = Array.IndexOf(data, (byte)'\n', at);
        if (end < 0)
            throw Bad("a name does not end");
        string text = Utf8.GetString(data, at, end - at);
        at = end + 1;
        return text;
    }

    /// <summary>What does not fit 64 bits is nothing that a tensor needs.</summary>
    private long? Long(long n)
    {
        var bytes = Take(n);
        return n <= 8 ? (long)new BigInteger(bytes) : null;
    }
}
