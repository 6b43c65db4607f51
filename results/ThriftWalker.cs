namespace LutNative.Results;

/// <summary>Type codes of Thrift's compact protocol.</summary>
internal enum ThriftType : byte
{
    Stop,
    True,
    False,
    Byte,
    I16,
    I32,
    I64,
    Double,
    Binary,
    List,
    Set,
    Map,
    Struct,
}

/// <param name="Of">The layout of a structure, or of a list's structures.</param>
/// <param name="Element">Of a list.</param>
/// <param name="Kept">Its structures are handed to the caller; others are walked and forgotten.</param>
internal sealed record ThriftField(
    int Id,
    string Name,
    ThriftType Type,
    ThriftLayout? Of = null,
    ThriftType Element = ThriftType.Stop,
    bool Required = false,
    bool Kept = false
);

internal sealed class ThriftLayout(string name, params ThriftField[] fields)
{
    private readonly ThriftField?[] byId =
    [
        .. Enumerable
            .Range(0, fields.Select(f => f.Id).DefaultIfEmpty(0).Max() + 1)
            .Select(id => fields.FirstOrDefault(f => f.Id == id)),
    ];

    public string Name { get; } = name;
    public IReadOnlyList<ThriftField> Fields { get; } = fields;
    public int Places => byId.Length;

    public ThriftField? Find(int id) => id < byId.Length ? byId[id] : null;
}

/// <summary>One structure as it was found: integers (booleans are 0 and 1) and kept structures, by field.</summary>
internal sealed class ThriftRecord(ThriftLayout layout)
{
    private readonly long[] numbers = new long[layout.Places];
    private Dictionary<int, List<ThriftRecord>>? structures;
    private ulong present;

    public bool Has(int id) => (present >> id & 1) != 0;

    public long Number(int id) => numbers[id];

    public IReadOnlyList<ThriftRecord> Structures(int id) => structures?.GetValueOrDefault(id) ?? [];

    internal void Mark(int id) => present |= 1UL << id;

    internal void Set(int id, long value) => numbers[id] = value;

    internal void Add(int id, ThriftRecord child)
    {
        structures ??= [];
        if (!structures.TryGetValue(id, out var list))
            structures.Add(id, list = []);
        list.Add(child);
    }
}

/// <summary>
/// Walks Thrift's compact protocol inside given bytes and never past them. What a layout names must have the type that
/// the layout says, because Parquet.Net reads it as that type without looking; what it does not name may only be of the
/// kinds that Parquet.Net skips rightly. So what was walked to its end, the library reads to the same end.
/// </summary>
internal ref struct ThriftWalker(ReadOnlySpan<byte> bytes)
{
    private const int LongestVarint32 = 5;
    private const int LongestVarint64 = 10;
    private const int DeepestUnknown = 8;
    private readonly ReadOnlySpan<byte> bytes = bytes;

    public int Position { get; private set; }

    /// <summary>Bytes ran out: with more of them the walk might go on.</summary>
    public bool RanOut { get; private set; }

    private readonly int Left => bytes.Length - Position;

    public ThriftRecord Structure(ThriftLayout layout)
    {
        var record = new ThriftRecord(layout);
        int id = 0;
        while (NextField(layout, ref id, out var type))
        {
            if (layout.Find(id) is not { } field)
            {
                Skip(layout.Name, id, type, 0);
                continue;
            }
            if (record.Has(id))
                throw Bad($"{layout.Name} has {field.Name} twice");
            record.Mark(id);
            Known(layout, field, type, record);
        }
        foreach (var f in layout.Fields)
            if (f.Required && !record.Has(f.Id))
                throw Bad($"{layout.Name} has no {f.Name}");
        return record;
    }

    private bool NextField(ThriftLayout layout, ref int id, out ThriftType type)
    {
        byte header = Byte();
        type = (ThriftType)(header & 0x0f);
        if (header == 0)
            return false;
        long next = header >> 4 == 0 ? ZigZag(Varint(LongestVarint32)) : id + (header >> 4);
        if (next is <= 0 or > short.MaxValue)
            throw Bad($"{layout.Name} has a field numbered {next}");
        id = (int)next;
        return true;
    }

    private void Known(ThriftLayout layout, ThriftField field, ThriftType type, ThriftRecord record)
    {
        if (type != field.Type && !(field.Type == ThriftType.True && type == ThriftType.False))
            throw Bad($"{layout.Name}.{field.Name} has type {type}, not {field.Type}");
        switch (type)
        {
            case ThriftType.Struct:
                var child = Structure(field.Of!);
                if (field.Kept)
                    record.Add(field.Id, child);
                break;
            case ThriftType.List:
                int count = ListHeader(layout.Name, field.Name, out var element);
                if (count > 0 && element != field.Element)
                    throw Bad($"{layout.Name}.{field.Name} is a list of {element}, not of {field.Element}");
                for (int i = 0; i < count; i++)
                    if (element != ThriftType.Struct)
                        Scalar(layout.Name, field.Name, element);
                    else if (field.Kept)
                        record.Add(field.Id, Structure(field.Of!));
                    else
                        Structure(field.Of!);
                break;
            default:
                record.Set(field.Id, Scalar(layout.Name, field.Name, type));
                break;
        }
    }

    /// <summary>An integer's value; of other scalars 0, their bytes passed over.</summary>
    private long Scalar(string structure, string field, ThriftType type)
    {
        switch (type)
        {
            case ThriftType.True:
                return 1;
            case ThriftType.False:
                return 0;
            case ThriftType.Byte:
                return (sbyte)Byte();
            case ThriftType.I16 or ThriftType.I32:
                long value = ZigZag(Varint(LongestVarint32));
                if (value is < int.MinValue or > int.MaxValue)
                    throw Bad($"{structure}.{field} does not fit 32 bits");
                return value;
            case ThriftType.I64:
                return ZigZag(Varint(LongestVarint64));
            case ThriftType.Double:
                Pass(sizeof(double));
                return 0;
            case ThriftType.Binary:
                ulong length = Varint(LongestVarint32);
                if (length > int.MaxValue)
                    throw Bad($"{structure}.{field} claims {length} bytes");
                Pass((int)length);
                return 0;
            default:
                throw Bad($"{structure}.{field} has type {type}, which Parquet does not use");
        }
    }

    /// <summary>
    /// A field that the layout lacks. Parquet.Net loses its place in structures and in lists of structures or booleans
    /// that it does not know: these are refused unless they are empty.
    /// </summary>
    private void Skip(string structure, int id, ThriftType type, int depth)
    {
        string name = FormattableString.Invariant($"field {id}");
        if (depth > DeepestUnknown)
            throw Bad($"{structure}'s {name} is nested more than {DeepestUnknown} deep");
        if (type == ThriftType.List)
        {
            int count = ListHeader(structure, name, out var element);
            if (count > 0 && element is ThriftType.True or ThriftType.False or ThriftType.Struct)
                throw Bad($"{structure} has an unknown {name}, a list of {element}");
            for (int i = 0; i < count; i++)
                Skip(structure, id, element, depth + 1);
        }
        else if (type != ThriftType.Struct)
            Scalar(structure, name, type);
        else if (Byte() != 0)
            throw Bad($"{structure} has an unknown {name}, a structure");
    }

    private int ListHeader(string structure, string field, out ThriftType element)
    {
        byte header = Byte();
        element = (ThriftType)(header & 0x0f);
        ulong count = header >> 4 == 15 ? Varint(LongestVarint32) : (ulong)(header >> 4);
        // every element takes a byte at least
        if (count > (ulong)Left)
        {
            RanOut = true;
            throw Bad($"{structure}.{field} claims {count} elements in {Left} bytes");
        }
        return (int)count;
    }

    private ulong Varint(int longest)
    {
        ulong value = 0;
        for (int i = 0; i < longest; i++)
        {
            byte b = Byte();
            value |= (ulong)(b & 0x7f) << (7 * i);
            if (b < 0x80)
                return value;
        }
        throw Bad($"an integer at byte {Position} takes more than {longest} bytes");
    }

    private static long ZigZag(ulong n) => (long)(n >> 1) ^ -(long)(n & 1);

    private byte Byte()
    {
        Pass(1);
        return bytes[Position - 1];
    }

    private void Pass(int count)
    {
        if (count > Left)
        {
            RanOut = true;
            throw Bad($"its structures end at byte {bytes.Length}, in the middle of a value");
        }
        Position += count;
    }

    private static DamagedParquetException Bad(FormattableString why) => new(FormattableString.Invariant(why));
}
