using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace LutNative.Model.Checkpoints;

/// <summary>
/// The types of elements that files hold, by the names of safetensors, and what becomes of them as binary32: the same
/// value where there is one, else the nearest (F64).
/// </summary>
public static class ElementType
{
    private static readonly Dictionary<string, int> Widths = new(StringComparer.Ordinal)
    {
        ["F64"] = 8,
        ["F32"] = 4,
        ["F16"] = 2,
        ["BF16"] = 2,
        ["F8_E4M3"] = 1,
        ["F8_E5M2"] = 1,
        ["I64"] = 8,
        ["I32"] = 4,
        ["I16"] = 2,
        ["I8"] = 1,
        ["U64"] = 8,
        ["U32"] = 4,
        ["U16"] = 2,
        ["U8"] = 1,
        ["BOOL"] = 1,
        ["C64"] = 8,
    };

    /// <summary>
    /// Bytes of an element; null for a type that is not known: its tensors may lie in a file, but nothing of them is
    /// read.
    /// </summary>
    public static int? WidthOf(string type) => Widths.TryGetValue(type, out int width) ? width : null;

    /// <summary>Whether elements have a value in binary32.</summary>
    public static bool IsFloat(string type) => type is "F64" or "F32" or "F16" or "BF16" or "F8_E4M3" or "F8_E5M2";

    /// <summary>from holds to.Length little-endian elements of a floating-point type.</summary>
    internal static void Widen(string type, ReadOnlySpan<byte> from, Span<float> to)
    {
        switch (type)
        {
            case "F32":
                from.CopyTo(MemoryMarshal.AsBytes(to));
                break;
            case "F64":
                for (int i = 0; i < to.Length; i++)
                    to[i] = (float)BinaryPrimitives.ReadDoubleLittleEndian(from[(8 * i)..]);
                break;
            case "F16":
                for (int i = 0; i < to.Length; i++)
                    to[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(from[(2 * i)..]);
                break;
            case "BF16":
                for (int i = 0; i < to.Length; i++)
                    to[i] = BitConverter.UInt32BitsToSingle(
                        (uint)BinaryPrimitives.ReadUInt16LittleEndian(from[(2 * i)..]) << 16
                    );
                break;
            case "F8_E5M2":
                for (int i = 0; i < to.Length; i++)
                    to[i] = (float)BitConverter.UInt16BitsToHalf((ushort)(from[i] << 8));
                break; // the upper half of a binary16
            case "F8_E4M3":
                for (int i = 0; i < to.Length; i++)
                    to[i] = E4M3(from[i]);
                break;
            default:
                throw new CheckpointException($"{type} is no floating-point type");
        }
    }

    /// <summary>Bias 7, no infinities, one NaN a sign (OCP 8-bit floating point, 2023).</summary>
    private static float E4M3(byte bits)
    {
        int exponent = bits >> 3 & 15;
        int mantissa = bits & 7;
        float sign = bits < 128 ? 1f : -1f;
        if (exponent == 15 && mantissa == 7)
            return float.NaN;
        if (exponent == 0)
            return sign * mantissa / 512f;
        return sign * BitConverter.UInt32BitsToSingle((uint)(exponent + 120) << 23 | (uint)mantissa << 20);
    }
}
