namespace LutNative.Model.Checkpoints;

/// <summary>
/// One set of weights of a file that may hold several, by the network's own names: .pth, .pt and .bin of torch.save, or
/// safetensors, with the names of MAE, LUT, timm or Hugging Face. A set is found by its patch embedding: whatever
/// stands before that name (a dictionary's key, "module.", "_orig_mod.", "backbone.", any of them in any order) is the
/// set's prefix, and is taken off. Tensors stay in the file, which is open as long as this is.
/// </summary>
public sealed class WeightSet : IDisposable
{
    /// <summary>
    /// Of sets beside each other, the first of these is the usual one. Averaged weights are asked for by name.
    /// </summary>
    private static readonly string[] Usual = ["", "model", "state_dict", "module", "teacher", "student"];

    private static readonly string[] Synonyms = ["model_ema", "state_dict_ema", "ema"];
    private readonly TensorFile file;

    private WeightSet(
        TensorFile file,
        string prefix,
        IReadOnlyList<string> sets,
        IReadOnlyDictionary<string, FileTensor> tensors
    )
    {
        this.file = file;
        Prefix = prefix;
        Sets = sets;
        Tensors = tensors;
    }

    public string Path => file.Path;

    /// <summary>What was taken off the names, with its last point; "" where the names stand alone.</summary>
    public string Prefix { get; }

    /// <summary>The prefixes of every set of the file.</summary>
    public IReadOnlyList<string> Sets { get; }

    public IReadOnlyDictionary<string, FileTensor> Tensors { get; }

    /// <summary>Classes of objects beside the tensors, of which nothing was made or run.</summary>
    public IReadOnlyList<string> Beside => file.Beside;

    /// <summary>Bytes of the whole file.</summary>
    public long FileBytes => file.Length;

    /// <summary>What people should know about the choice, or null where there was none.</summary>
    public string? Choice
    {
        get
        {
            if (Sets.Count > 1)
                return $"the file holds several sets, {string.Join(", ", Sets.Select(Said))}; took {Said(Prefix)}";
            return Prefix.Length > 0 ? $"took the prefix {Said(Prefix)} off the names" : null;
        }
    }

    /// <param name="which">A set's prefix or one word of it; "" for the usual one.</param>
    /// <exception cref="CheckpointException">No such set, several, or no tensors at all.</exception>
    public static WeightSet Open(string path, string which = "")
    {
        var file = path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)
            ? Safetensors.Open(path)
            : TorchFile.Open(path);
        try
        {
            return Choose(file, which);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose() => file.Dispose();

    private static WeightSet Choose(TensorFile file, string which)
    {
        var all = HuggingFaceNames.Translate(file.Tensors);
        if (all.Count == 0)
        {
            string inside =
                file.Beside.Count == 0
                    ? ""
                    : $"; it names {string.Join(", ", file.Beside.Take(8))}, and nothing of it was run: save "
                        + "a dictionary of tensors (model.state_dict())";
            throw new CheckpointException($"{file.Path} holds no tensors{inside}");
        }
        string[] sets =
        [
            .. all
                .Keys.Where(k => !EncoderNames.IsOfTraining(k))
                .Select(PrefixOf)
                .OfType<string>()
                .Distinct()
                .Order(StringComparer.Ordinal),
        ];
        // a file of something else is one set under whatever key it was asked for
        if (sets.Length == 0)
            sets =
            [
                .. all
                    .Keys.Select(k => k.Split('.')[0] + ".")
                    .Where(p => which.Length > 0 && p == which + ".")
                    .Distinct()
                    .DefaultIfEmpty(""),
            ];
        string prefix = which.Length == 0 ? UsualOf(file, sets) : Asked(file, sets, which);
        string[] others = [.. sets.Where(s => s != prefix && s.StartsWith(prefix, StringComparison.Ordinal))];
        var chosen = new Dictionary<string, FileTensor>(StringComparer.Ordinal);
        foreach (var (name, tensor) in all)
            if (
                name.StartsWith(prefix, StringComparison.Ordinal)
                && !others.Any(o => name.StartsWith(o, StringComparison.Ordinal))
                && !EncoderNames.IsOfTraining(name)
            )
                chosen.Add(name[prefix.Length..], tensor.As(name[prefix.Length..]));
        return new WeightSet(file, prefix, sets, chosen);
    }

    private static string? PrefixOf(string name) =>
        name.EndsWith(EncoderNames.Anchor, StringComparison.Ordinal)
        && name[..^EncoderNames.Anchor.Length] is var prefix
        && (prefix.Length == 0 || prefix[^1] == '.')
            ? prefix
            : null;

    private static string UsualOf(TensorFile file, string[] sets)
    {
        string[] own = [.. sets.Where(s => !Words(s).Any(w => w.Split('_').Contains("ema")))];
        if (own.Length == 0)
            own = sets;
        if (own.Length == 1)
            return own[0];
        int Rank(string set) => Array.IndexOf(Usual, Words(set)[0]) is var at and >= 0 ? at : Usual.Length;
        int least = own.Min(Rank);
        string[] first = [.. own.Where(s => Rank(s) == least)];
        return first.Length == 1 && least < Usual.Length
            ? first[0]
            : throw new CheckpointException(
                $"{file.Path} holds several sets of weights, {Listed(sets)}; choose one with --which"
            );
    }

    private static string Asked(TensorFile file, string[] sets, string which)
    {
        foreach (string word in (string[])[which, .. Synonyms.Contains(which) ? Synonyms.Where(s => s != which) : []])
        {
            string[] exact = [.. sets.Where(s => s == word + ".")];
            string[] within = [.. sets.Where(s => ("." + s).Contains("." + word + ".", StringComparison.Ordinal))];
            if (exact.Length == 1)
                return exact[0];
            if (within.Length == 1)
                return within[0];
            if (within.Length > 1)
                throw new CheckpointException(
                    $"{file.Path} holds several sets of that name, {Listed(within)}; give a whole one to --which"
                );
        }
        throw new CheckpointException($"{file.Path} has no set {which}; it holds {Listed(sets)}");
    }

    private static string[] Words(string prefix) => prefix.TrimEnd('.').Split('.');

    private static string Listed(string[] sets) => string.Join(", ", sets.Select(Said));

    private static string Said(string prefix) => prefix.Length == 0 ? "(no prefix)" : prefix.TrimEnd('.');
}
