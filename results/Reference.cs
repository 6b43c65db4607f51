namespace LutNative.Results;

/// <summary>
/// The golden digests of a protocol, as text that a reviewer can read in a diff: the state's digest at every recorded
/// step, every tensor's at a stage's last step, and every evaluation. Independent of hardware, because the contract is.
/// </summary>
public static class Reference
{
    private const string Head = "# lut reference 1: digests that an unmodified run must give, on any machine";

    /// <summary>The committed reference of a protocol, or null when there is none.</summary>
    public static string[]? Find(string protocol)
    {
        using var stream = typeof(Reference).Assembly.GetManifestResourceStream($"reference/{protocol}.digests");
        if (stream is null)
            return null;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>The reference lines of a finished run.</summary>
    public static string[] Of(RunStore run)
    {
        var row = run.Read(Schema.Run).Rows[0];
        var lines = new List<string>
        {
            Head,
            $"protocol {row.Protocol}",
            $"contract {row.Contract}",
            $"math_hash {row.MathHash}",
            $"data_hash {row.DataHash}",
            FormattableString.Invariant($"seed {row.Seed}"),
        };
        var last = new Dictionary<string, long>();
        foreach (var r in run.Rows(Schema.Steps))
        {
            if (r.StateDigest is not { } state)
                continue;
            last[r.Stage] = r.Step;
            lines.Add(FormattableString.Invariant($"step {r.Stage} {r.Step} loss {r.LossBits.Value:x8} state {state}"));
        }
        foreach (var r in run.Rows(Schema.Digests))
            if (last.TryGetValue(r.Stage, out long step) && step == r.Step)
                lines.Add(FormattableString.Invariant($"tensor {r.Stage} {step} {r.Tensor} {r.Digest}"));
        foreach (var r in run.Rows(Schema.Evals))
            lines.Add(
                FormattableString.Invariant($"eval {r.Metric} {r.Correct}/{r.N} predictions {r.PredictionsDigest}")
            );
        return [.. lines];
    }

    /// <summary>Somebody's .digests file.</summary>
    /// <exception cref="ResultsException">
    /// It cannot be read; what its lines say is looked at by <see cref="Parse"/>.
    /// </exception>
    public static string[] Read(string path)
    {
        const long MostBytes = 256 << 20;
        try
        {
            using var file = PlainFile.OpenRead(path);
            if (file.Length > MostBytes)
                throw new IOException(
                    FormattableString.Invariant($"{file.Length} bytes are more than a reference has")
                );
            using var reader = new StreamReader(file);
            string[] lines = reader.ReadToEnd().ReplaceLineEndings("\n").Split('\n');
            Parse(lines, path);
            return lines;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ResultsException(
                e is FileNotFoundException ? StoreFault.Missing : StoreFault.Unreadable,
                $"cannot read the reference {Path.GetFileName(path)}",
                path,
                e.Message,
                "name a .digests file; `lut verify RUN --write-reference FILE` makes one"
            );
        }
    }

    /// <summary>
    /// Lines by what they are about ("step pretrain 3", "tensor pretrain 27 student/norm.weight", "eval knn_top1",
    /// "math_hash"), in their order.
    /// </summary>
    /// <param name="name">Of the file, for messages.</param>
    /// <exception cref="ResultsException">
    /// A line is not of a reference's form, or comes twice, or the hashes or all digests are missing: file and line are
    /// named.
    /// </exception>
    public static OrderedDictionary<string, string> Parse(IReadOnlyList<string> lines, string name)
    {
        var found = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < lines.Count; i++)
        {
            if (lines[i].Length == 0 || lines[i][0] == '#')
                continue;
            if (KeyOf(lines[i]) is not { } key)
                throw Bad(i, "is not a line of a reference: " + Printable(lines[i]));
            if (!found.TryAdd(key, lines[i]))
                throw Bad(i, $"comes twice: {Printable(key)}");
        }
        foreach (string k in Identity)
            if (!found.ContainsKey(k))
                throw Bad(-1, $"has no line {k}: nothing says which experiment its digests are of");
        if (found.Count <= Identity.Length || !found.Keys.Any(k => k.Contains(' ', StringComparison.Ordinal)))
            throw Bad(-1, "has no digests");
        return found;

        ResultsException Bad(int line, string why) =>
            new(
                StoreFault.Damaged,
                $"the reference {Path.GetFileName(name)} cannot be used",
                line < 0 ? name : FormattableString.Invariant($"{name}:{line + 1}"),
                line < 0 ? "it " + why : FormattableString.Invariant($"line {line + 1} {why}"),
                "restore it, or make it again: `lut verify RUN --write-reference FILE`"
            );
    }

    private static readonly string[] Identity = ["contract", "math_hash", "data_hash"];

    /// <summary>What a line is about; null when it has not the form of its kind.</summary>
    private static string? KeyOf(string line)
    {
        string[] word = line.Split(' ');
        bool Number(int i) => word[i].Length > 0 && word[i].All(char.IsAsciiDigit);
        bool Hex(int i) => word[i].Length > 0 && word[i].All(char.IsAsciiHexDigitLower);
        return word switch
        {
            ["step", _, _, "loss", _, "state", _] when Number(2) && Hex(4) && Hex(6) => string.Join(' ', word[..3]),
            ["tensor", _, _, _, _] when Number(2) && Hex(4) => string.Join(' ', word[..4]),
            ["eval", _, _, "predictions", _]
                when word[2].Split('/') is [{ Length: > 0 } a, { Length: > 0 } b]
                    && (a + b).All(char.IsAsciiDigit)
                    && Hex(4) => string.Join(' ', word[..2]),
            ["protocol" or "contract" or "math_hash" or "data_hash" or "seed", { Length: > 0 }, ..] => word[0],
            _ => null,
        };
    }

    private static string Printable(string text) =>
        string.Concat(text.Take(120).Select(c => char.IsControl(c) ? '?' : c));

    /// <summary>A run against reference lines: the first line that differs names stage, step and tensor.</summary>
    /// <exception cref="ResultsException">The reference, or the run's own tables, cannot be used.</exception>
    public static ExactReport Compare(RunStore run, string[] reference, string name = "of the protocol")
    {
        var expected = Parse(reference, name);
        // a run that recorded nothing yet has no digests to parse
        var found = Of(run).Where(l => l[0] != '#').ToDictionary(l => KeyOf(l) ?? l);
        var incomparable = Identity.Where(k => expected.GetValueOrDefault(k) != found.GetValueOrDefault(k)).ToArray();
        if (incomparable.Length > 0)
            return new ExactReport(
                ExactVerdict.Incomparable,
                null,
                [
                    .. incomparable.Select(k =>
                        $"{found.GetValueOrDefault(k)}, reference {expected.GetValueOrDefault(k)}"
                    ),
                ]
            );
        var missing = expected.Keys.Where(k => !found.ContainsKey(k)).ToArray();
        // tensors at the last step say more than the step's one digest: name the first of them when both differ
        // names are not bits: another name with the same hashes is the same experiment
        var different = expected
            .Keys.Where(k => k is not "protocol" && found.TryGetValue(k, out string? m) && m != expected[k])
            .ToArray();
        string? first = different.Length == 0 ? null : $"{found[different[0]]}, reference {expected[different[0]]}";
        var details = new List<string>
        {
            $"{expected.Count} reference lines, {different.Length} differ, {missing.Length} missing in this run",
        };
        details.AddRange(different.Skip(1).Take(5).Select(k => $"also {k}"));
        var verdict =
            different.Length > 0 ? ExactVerdict.Diverged
            : missing.Length > 0 ? ExactVerdict.Missing
            : ExactVerdict.Identical;
        return new ExactReport(verdict, first ?? (missing.Length > 0 ? $"missing: {missing[0]}" : null), details)
        {
            Compared = new[] { "step", "tensor", "eval" }.ToDictionary(
                k => k + "s",
                k => expected.Keys.Count(e => e.StartsWith(k + " ", StringComparison.Ordinal))
            ),
        };
    }
}
