using System.Security.Cryptography;
using System.Text;

namespace LutNative.Harness.Surroundings;

/// <summary>
/// Names that come from files (a night's rows, a suite's, a protocol's) and become names of files: nothing in them can
/// leave the folder or hide in it.
/// </summary>
internal static class FileName
{
    internal const int Longest = 120;
    private const int HashDigits = 16;

    internal static bool Fits(string name) =>
        name.Length is > 0 and <= Longest && char.IsAsciiLetterOrDigit(name[0]) && name.All(Fits);

    /// <summary>
    /// A name made from any text: the text itself where it fits; else what fits of it and its hash, so that two texts
    /// never share a file.
    /// </summary>
    internal static string Of(string text)
    {
        if (Fits(text))
            return text;
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..HashDigits];
        string rest = new([
            .. text.Where(Fits).SkipWhile(c => !char.IsAsciiLetterOrDigit(c)).Take(Longest - HashDigits - 1),
        ]);
        return rest.Length == 0 ? hash : $"{rest}-{hash}";
    }

    private static bool Fits(char c) => char.IsAsciiLetterOrDigit(c) || c is '@' or '+' or '.' or '_' or '=' or '-';
}
