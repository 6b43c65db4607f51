namespace LutNative.Results;

/// <summary>A float as its bits: what comparison looks at, since equal NaNs and both zeros are values too.</summary>
public readonly record struct Bits32(uint Value)
{
    public float Float => BitConverter.UInt32BitsToSingle(Value);

    public static Bits32 Of(float value) => new(BitConverter.SingleToUInt32Bits(value));

    public static Bits32? Of(float? value) => value is { } v ? Of(v) : null;

    /// <summary>For people: 0x3fc00000 (1.5).</summary>
    public override string ToString() => FormattableString.Invariant($"0x{Value:x8} ({Float:R})");
}

/// <summary>A double as its bits.</summary>
public readonly record struct Bits64(long Value)
{
    public double Double => BitConverter.Int64BitsToDouble(Value);

    public static Bits64 Of(double value) => new(BitConverter.DoubleToInt64Bits(value));

    /// <summary>For people: 0x3fb999999999999a (0.1).</summary>
    public override string ToString() => FormattableString.Invariant($"0x{Value:x16} ({Double:R})");
}
