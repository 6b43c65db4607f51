using LutNative.Harness.Diagnosis;
using LutNative.Model.Checkpoints;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>Two files of tensors, bit by bit.</summary>
internal static class CheckpointComparison
{
    internal static ExactReport Of(string a, string b)
    {
        using TensorFile fileA = Safetensors.Open(a);
        using TensorFile fileB = Safetensors.Open(b);
        var x = fileA.Tensors;
        var y = fileB.Tensors;
        string? first = null;
        int differ = 0;
        int common = 0;
        foreach (var (name, t) in x.Where(t => y.ContainsKey(t.Key)))
        {
            common++;
            bool alike = t.Type == y[name].Type && t.Shape.SequenceEqual(y[name].Shape);
            string? difference = alike ? TensorDifference.First(t, y[name]) : $"{name}: shape or type differs";
            if (difference is null)
                continue;
            differ++;
            first ??= difference;
        }
        int onlyA = x.Keys.Count(k => !y.ContainsKey(k));
        int onlyB = y.Keys.Count(k => !x.ContainsKey(k));
        return new ExactReport(
            VerdictOf(differ, onlyA + onlyB),
            first,
            [$"tensors: {common} compared, {differ} differ, {onlyA} only in A, {onlyB} only in B"]
        )
        {
            Compared = new Dictionary<string, int> { ["tensors"] = common },
        };
    }

    private static ExactVerdict VerdictOf(int differ, int missing)
    {
        if (differ > 0)
            return ExactVerdict.Diverged;
        return missing > 0 ? ExactVerdict.Missing : ExactVerdict.Identical;
    }
}
