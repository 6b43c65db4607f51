using LutNative.Harness.Diagnosis;
using LutNative.Harness.Errors;
using LutNative.Harness.Protocol;
using LutNative.Harness.Recording;
using LutNative.Model.Checkpoints;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>
/// Is a run whole, and are its bits the reference's? Of one that has not ended, the same of what there is of it so far.
/// It reads alone, and takes no lock.
/// </summary>
internal static class RunVerification
{
    internal static (string Verdict, Exit Exit) Of(RunStore run, string[]? given, List<string> lines)
    {
        if (!run.IsComplete && !File.Exists(Path.Combine(run.Folder, RunStore.ManifestName)))
            return Prefix(run, given, lines);
        var damage = run.Damage().ToList();
        try
        {
            damage.AddRange(Checkpoints(run));
            lines.AddRange(damage.Select(d => "damage: " + d));
            return Ended(run, given, damage.Count > 0, lines);
        }
        catch (ResultsException e) when (damage.Count > 0)
        {
            // the manifest has said which files changed; that one of them cannot be read follows from it
            lines.AddRange(damage.Select(d => "damage: " + d).Except(lines).ToList());
            lines.Add("damage: " + e.Message);
            return (FormattableString.Invariant($"VERDICT integrity=DAMAGED exit={(int)Exit.Negative}"), Exit.Negative);
        }
    }

    private static (string Verdict, Exit Exit) Ended(RunStore run, string[]? given, bool damaged, List<string> lines)
    {
        var row = run.Read(Schema.Run).First;
        string integrity = $" integrity={(damaged ? "DAMAGED" : "ok")} exit=";
        if (row is null)
            throw RunStoreErrors.NoRunTable(run.Folder, RunStore.CompleteName);
        string[]? reference = given ?? Reference.Find(row.Protocol);
        var exit = damaged ? Exit.Negative : Exit.Ok;
        if (reference is null)
            return ($"VERDICT exact=NO-REFERENCE{integrity}{(int)exit}", exit);
        var report = Reference.Compare(run, reference);
        if (report.Verdict == ExactVerdict.Diverged && row.WeightsSha256 is { } weights)
            report = new ExactReport(
                ExactVerdict.Incomparable,
                null,
                [$"weights_sha256: {weights}: it began with weights from outside, the reference with its own"]
            );
        lines.AddRange(report.Details);
        if (report.Verdict == ExactVerdict.Incomparable)
            lines.AddRange(Values(run, row.Protocol));
        if (!damaged)
            exit = ExactVerdicts.ExitOf(report.Verdict);
        return (ExactVerdicts.Line(report, exit).Replace(" exit=", integrity, StringComparison.Ordinal), exit);
    }

    /// <summary>Checkpoints that are not what the run's tables say.</summary>
    internal static IEnumerable<string> Checkpoints(RunStore run)
    {
        // files first, their rows then: a writer commits the row before the file has its name
        var files = CheckpointStore.Of(run).Files().ToList();
        var store = CheckpointStore.Of(run);
        foreach (var (path, _) in files)
        {
            string? damage = null;
            try
            {
                store.Examine(path);
            }
            catch (CheckpointException e)
            {
                // a running one removes old checkpoints while it is read
                if (run.IsComplete || File.Exists(path))
                    damage = e.Message;
            }
            if (damage is not null)
                yield return damage;
        }
    }

    /// <summary>
    /// Why a checkpoint that lies in a run is not what the run wrote; null when it is, or lies in none.
    /// </summary>
    internal static string? InItsRun(string path)
    {
        string? folder = Path.GetDirectoryName(Path.GetFullPath(path));
        string? root = Path.GetDirectoryName(folder);
        if (
            root is null
            || Path.GetFileName(folder) != "checkpoints"
            || CheckpointName.Parse(path, StageId.Trained) is null
        )
            return null;
        var run = new RunStore(root);
        if (run.PartFiles().Count == 0)
            return null;
        try
        {
            CheckpointStore.Of(run).Examine(path);
            return null;
        }
        catch (CheckpointException e)
        {
            return e.Message;
        }
    }

    private static (string Verdict, Exit Exit) Prefix(RunStore run, string[]? given, List<string> lines)
    {
        var state = RunPrefix.Read(run);
        string[]? known = given ?? Reference.Find(state.Protocol ?? "");
        var reference = known is null || state.HasWeights ? null : ReferenceDigests.Parse(known);
        string last = state.Last is { } step
            ? FormattableString.Invariant($"{step.Stage} step {step.Step}")
            : "nothing";
        lines.Add(
            "the run has not ended: recorded up to "
                + $"{last}{(state.Differs is { } said ? $"; it was told of a difference: {said}" : "")}"
        );
        if (state.Note is { } note)
            lines.Add(note);
        string[] damage = [.. Checkpoints(run)];
        lines.AddRange(damage.Select(d => "damage: " + d));
        string integrity = damage.Length == 0 ? "unfinished" : "DAMAGED";
        var undecided = damage.Length == 0 ? Exit.Inconclusive : Exit.Negative;
        if (reference is null)
            return (
                FormattableString.Invariant(
                    $"VERDICT exact=NO-REFERENCE integrity={integrity} last=\"{last}\" exit={(int)undecided}"
                ),
                undecided
            );
        if (state.MathHash is not null && !reference.IsOf(state.MathHash, state.DataHash ?? ""))
        {
            foreach (var (key, value) in new[] { ("math_hash", state.MathHash), ("data_hash", state.DataHash) })
                if (reference.Fact(key) != value)
                    lines.Add($"{key} {value}, reference {reference.Fact(key)}");
            lines.AddRange(Values(run, state.Protocol ?? ""));
            return (
                FormattableString.Invariant($"VERDICT exact=INCOMPARABLE integrity={integrity} exit={(int)undecided}"),
                undecided
            );
        }
        var result = state.Compare(reference);
        string counts = FormattableString.Invariant(
            $" steps={result.Steps} of={reference.Steps} evals={result.Evals} last=\"{result.Last}\""
        );
        if (result.First is { } first)
            return (
                FormattableString.Invariant(
                    $"VERDICT exact=DIVERGED{counts} first=\"{first}\" integrity={integrity} exit={(int)Exit.Negative}"
                ),
                Exit.Negative
            );
        return (
            FormattableString.Invariant(
                $"VERDICT exact=IDENTICAL-PREFIX{counts} integrity={integrity} exit={(int)undecided}"
            ),
            undecided
        );
    }

    /// <summary>Which values of the built-in protocol the run has others of.</summary>
    private static IReadOnlyList<string> Values(RunStore run, string protocol)
    {
        string name = protocol.Split('+')[0];
        string canonical = Path.Combine(run.Folder, ConfigDifference.FileName);
        if (!ProtocolReader.BuiltIn.Contains(name) || !File.Exists(canonical))
            return [];
        var differences = ConfigDifference.First(
            ConfigDifference.Of(File.ReadAllText(canonical), ProtocolReader.Load(name, []).CanonicalJson)
        );
        return [.. differences.Select(d => $"here and in {name}: {d}")];
    }
}
