using LutNative.Model.Devices;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Layers;

/// <summary>
/// The values of a state as layers read them: vectors in place, matrices with the packed copies that products use.
/// <see cref="Pack(Pool)"/> must be called after the values change; once a step, since nothing changes them inside one.
/// </summary>
public sealed unsafe class Weights
{
    private readonly Weight[] matrices;
    private readonly (Entry Entry, bool Backward)[] jobs;
    private readonly Device device;

    /// <param name="backward">Also keep the panels of W that dx = dy W reads (not needed for a teacher).</param>
    public Weights(State state, Device device, Arena arena, bool backward)
    {
        State = state;
        this.device = device;
        matrices = new Weight[state.Layout.Entries.Count];
        var work = new List<(Entry, bool)>();
        foreach (var e in state.Layout.Matrices)
        {
            long forward = device.PackedFloats(e.Cols, e.Rows);
            long back = backward ? device.PackedFloats(e.Rows, e.Cols) : 0;
            matrices[e.Index] = new Weight(
                state[e],
                forward > 0 ? arena.Floats(forward) : null,
                back > 0 ? arena.Floats(back) : null
            );
            if (forward > 0)
                work.Add((e, false));
            if (back > 0)
                work.Add((e, true));
        }
        jobs = [.. work];
    }

    public State State { get; }

    public Weight Matrix(Entry e) => matrices[e.Index];

    /// <summary>A bias, norm parameter, token or position table, in place.</summary>
    public Mat Value(Entry e) => State[e];

    public void Pack(Pool pool) => pool.Run(jobs.Length, this, static (i, _, w) => w.Pack(i));

    private void Pack(int job)
    {
        var (e, backward) = jobs[job];
        Weight w = matrices[e.Index];
        if (backward)
            device.Pack(w.BackwardPanels, w.Values.Data, e.Cols, 1, e.Rows, e.Cols);
        else
            device.Pack(w.ForwardPanels, w.Values.Data, 1, e.Cols, e.Cols, e.Rows);
    }
}
