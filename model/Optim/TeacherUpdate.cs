using LutNative.Model.Devices;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Optim;

/// <summary>
/// The teacher's exponential moving average of what the optimiser does not train: fixed tables, batch-norm buffers, and
/// the int64 counters, whose average is truncated back to an integer. Parameters are averaged by <see
/// cref="AdamWOptimizer.Step"/>, in the same pass that updates them.
/// Source: LUT util/model_ema_sched.py:187-199; NUMERICS rule 9 (R12).
/// </summary>
public static class TeacherUpdate
{
    public static void Run(Device device, State teacher, State student, double decay)
    {
        float rest = (float)(1.0 - decay);
        var entries = student.Layout.Entries;
        for (int i = 0; i < entries.Count; i++)
            if (entries[i].Kind != EntryKind.Parameter)
                AdamW.Average(device, teacher[entries[i]], student[entries[i]], rest);
        for (int i = 0; i < student.Counters.Length; i++)
            teacher.Counters[i] = (long)((float)decay * teacher.Counters[i] + rest * student.Counters[i]);
    }
}
