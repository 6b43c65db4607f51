using LutNative.Model.Tensors;

namespace LutNative.Harness.Training;

/// <summary>
/// A trainer's whole state at one moment, so that a step can run again from it. Of trainers on the host.
/// </summary>
internal sealed class Snapshot
{
    private readonly Trainer trainer;
    private readonly (State State, float[] Values, long[] Counters)[] states;
    private readonly (double, double) powers;

    internal Snapshot(Trainer trainer)
    {
        this.trainer = trainer;
        states =
        [
            .. trainer.States.Select(s => (s.State, s.State.Values.Span.ToArray(), (long[])s.State.Counters.Clone())),
        ];
        if (trainer.Optimizer is { } adam)
            powers = (adam.Beta1Power, adam.Beta2Power);
    }

    internal void Restore()
    {
        foreach (var (state, values, counters) in states)
        {
            values.CopyTo(state.Values.Span);
            counters.CopyTo(state.Counters, 0);
        }
        if (trainer.Optimizer is { } adam)
            (adam.Beta1Power, adam.Beta2Power) = powers;
    }
}
