namespace LutNative.Harness.Training;

/// <summary>
/// When the next checkpoint is due. Unless it was said, at most one hundredth of the time goes into them: a state of
/// gigabytes takes seconds to write, and one every minute would cost more than the work that it saves. Never more than
/// half an hour of work is at stake.
/// </summary>
/// <param name="Fixed">What was asked for; null to adapt.</param>
public sealed record CheckpointInterval(TimeSpan? Fixed)
{
    private const int Share = 100;

    public static TimeSpan Least { get; } = TimeSpan.FromMinutes(1);

    public static TimeSpan Most { get; } = TimeSpan.FromMinutes(30);

    public static implicit operator CheckpointInterval(TimeSpan asked) => new(asked);

    /// <param name="lastSave">How long the last one took; zero before the first.</param>
    public TimeSpan After(TimeSpan lastSave)
    {
        if (Fixed is { } asked)
            return asked;
        var adapted = lastSave < Most / Share ? Share * lastSave : Most;
        return adapted < Least ? Least : adapted;
    }

    /// <summary>Of minutes that a user wrote; null for those that no run lasts, or that are no time.</summary>
    public static CheckpointInterval? Parse(double? minutes) =>
        minutes switch
        {
            null => new CheckpointInterval((TimeSpan?)null),
            >= 0 and <= 525_600 => new CheckpointInterval(TimeSpan.FromMinutes(minutes.Value)),
            _ => null,
        };
}
