using System.Text;
using LutNative.Results;

namespace LutNative.Harness.Training;

/// <summary>The file of weights from outside that a run began with, as its command line named it.</summary>
/// <param name="Which">The set inside; "" for the usual one.</param>
public sealed record OuterWeightsFile(string Path, string Which)
{
    /// <summary>As they stand on a command line.</summary>
    public string Options => $"--checkpoint {Quoted(Path)}" + (Which.Length > 0 ? $" --which {Quoted(Which)}" : "");

    /// <summary>
    /// null where the run pre-trained itself, has not ended (the table is written last), or does not say.
    /// </summary>
    public static OuterWeightsFile? Of(RunStore run)
    {
        var row = run.Read(Schema.Run).First;
        if (row is null || row.Stages.Split(',').Contains(StageId.Pretrain.Name))
            return null;
        string words = Encoding.UTF8.GetString(row.Argv);
        return Value(words, "--checkpoint") is { } path
            ? new OuterWeightsFile(Placed(path), Value(words, "--which") ?? "")
            : null;
    }

    /// <summary>
    /// Of a file outside of the working directory its name alone was recorded (../NAME): where it lies is for the
    /// reader to fill in.
    /// </summary>
    private static string Placed(string recorded) =>
        recorded.StartsWith("../", StringComparison.Ordinal) ? "PATH/TO/" + recorded[3..] : recorded;

    /// <summary>An option's value among words that were joined by spaces: it ends before the next option.</summary>
    private static string? Value(string words, string option)
    {
        int at = (words + " ").IndexOf($" {option} ", StringComparison.Ordinal);
        int glued = words.IndexOf($" {option}=", StringComparison.Ordinal);
        if (at < 0 && glued < 0)
            return null;
        string rest = words[(Math.Max(at, glued) + option.Length + 2)..];
        return rest.Split(" -", 2)[0].Trim();
    }

    private static string Quoted(string word) =>
        word.Length > 0
        && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '_' or '-' or '@' or '+' or ':')
            ? word
            : "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
