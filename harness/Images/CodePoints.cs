namespace LutNative.Harness.Images;

/// <summary>
/// Names in the order of their code points, as Python compares them (and the bytes of UTF-8 too). .NET's ordinal order
/// is that of UTF-16: in it U+1F600 comes before U+FF5E, since the halves of a pair are smaller than U+E000.
/// </summary>
public sealed class CodePoints : IComparer<string>
{
    public static CodePoints Order { get; } = new();

    public int Compare(string? x, string? y)
    {
        ReadOnlySpan<char> a = x;
        ReadOnlySpan<char> b = y;
        int same = a.CommonPrefixLength(b);
        if (same == a.Length || same == b.Length)
            return a.Length.CompareTo(b.Length);
        return Rank(a[same]).CompareTo(Rank(b[same]));
    }

    // halves of a pair stand for code points from U+10000 on: after everything that is one unit
    private static int Rank(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
}
