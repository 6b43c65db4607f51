namespace LutNative.Results;

/// <summary>A digest as tables store it: 16 bytes where lut made it. Equality is that of the bytes.</summary>
public readonly struct DigestBytes(byte[] bytes) : IEquatable<DigestBytes>
{
    private readonly byte[]? bytes = bytes;

    public byte[] ToArray() => bytes ?? [];

    public bool Equals(DigestBytes other) => bytes.AsSpan().SequenceEqual(other.bytes);

    public override bool Equals(object? obj) => obj is DigestBytes other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(bytes);
        return hash.ToHashCode();
    }

    /// <summary>Lower-case hexadecimal digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(bytes ?? []);

    public static bool operator ==(DigestBytes left, DigestBytes right) => left.Equals(right);

    public static bool operator !=(DigestBytes left, DigestBytes right) => !left.Equals(right);
}
