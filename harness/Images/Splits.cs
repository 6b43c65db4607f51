using LutNative.Harness.Errors;

namespace LutNative.Harness.Images;

/// <summary>
/// Which shards of a folder are a split's. Outside a folder of its own a shard belongs to the split that its name has
/// as a word (a run of letters: train-000.tar, imagenet_train_00.tar, not interval.tar); a name that says two splits is
/// refused, since a run would be evaluated on its training images.
/// </summary>
internal static class Splits
{
    private static readonly (string Split, string[] Words)[] Known =
    [
        ("train", ["train", "training"]),
        ("val", ["val", "valid", "validation"]),
        ("test", ["test"]),
    ];

    /// <summary>
    /// The splits that may serve as one, best first: a set whose validation images are called test has no others.
    /// </summary>
    internal static string[] Serving(string split) => split == "val" ? ["val", "test"] : [split];

    /// <summary>The words that are looked for.</summary>
    internal static string Wanted(string split) => string.Join(", ", Serving(split).SelectMany(WordsOf));

    /// <summary>The shards of a split in the order of their names.</summary>
    /// <param name="own">The folder is the split's own: every shard is, unless its name says another split.</param>
    /// <param name="notes">Told about shards that belong to no split.</param>
    internal static string[] Choose(
        string folder,
        IEnumerable<string> files,
        string split,
        bool own,
        List<string> notes
    )
    {
        string[] all = [.. files.Order(CodePoints.Order)];
        string[] serving = Serving(split);
        var claims = all.Select(f => (File: f, Split: Claim(folder, f, split))).ToArray();
        if (own)
        {
            if (
                claims.FirstOrDefault(c => c.Split is not null && !serving.Contains(c.Split)) is
                { File: { } wrong, Split: { } other }
            )
                throw Both(folder, wrong, split, other);
            return all;
        }
        string[] chosen =
            serving
                .Select(s => claims.Where(c => c.Split == s).Select(c => c.File).ToArray())
                .FirstOrDefault(c => c.Length > 0)
            ?? [];
        string[] lost = [.. claims.Where(c => c.Split is null).Select(c => c.File)];
        if (lost.Length > 0)
            notes.Add(
                FormattableString.Invariant(
                    $"{lost.Length} shards name no split and are not used, first {Shown.Name(lost[0])}"
                )
            );
        return chosen;
    }

    /// <summary>The one split that a file's name says, or null.</summary>
    private static string? Claim(string folder, string file, string asked)
    {
        string[] words = Words(Path.GetFileNameWithoutExtension(file));
        string[] said =
        [
            .. Known.Where(k => words.Any(w => k.Words.Contains(w) || Joined(w, k.Split))).Select(k => k.Split),
        ];
        if (said.Length > 1)
            throw Both(folder, file, said[0], said[1]);
        return said.Length == 1 ? said[0]
            : words.Contains(asked.ToLowerInvariant()) ? asked
            : null;
    }

    // trainval, trainvaltest: the usual names of two splits in one file
    private static bool Joined(string word, string split) =>
        word.StartsWith("train", StringComparison.Ordinal)
        && Known.Skip(1).Any(k => word.Contains(k.Split, StringComparison.Ordinal))
        && word.Contains(split, StringComparison.Ordinal);

    private static IEnumerable<string> WordsOf(string split) =>
        Known.FirstOrDefault(k => k.Split == split).Words ?? [split];

    private static string[] Words(string name) =>
        new string([.. name.ToLowerInvariant().Select(c => char.IsLetter(c) ? c : ' ')]).Split(
            ' ',
            StringSplitOptions.RemoveEmptyEntries
        );

    private static LutError Both(string folder, string file, string one, string other) =>
        DataSetErrors.ShardOfTwoSplits(file, folder, one, other);
}
