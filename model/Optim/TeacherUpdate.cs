using LutNative.Model.Devices;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Optim;

/// <summary>
/// The teacher's exponential moving average over the whole state: parameters, fixed tables, batch-norm buffers, and the int64
/// counters, whose average is truncated back to an integer. Source: LUT util/model_ema_sched.py:187-199; NUMERICS rule 9 (R12).
/// </summary>
public static unsafe class TeacherUpdate
{
    private const int Chunk = 1 << 16;

    public static void Run(Device device, Pool pool, State teacher, State student, double decay)
    {
        float rest = (float)(1.0 - decay);
        long length = student.Layout.Length;
        pool.Run((int)((length + Chunk - 1) / Chunk), (i, _) =>
        {
            long at = (long)i * Chunk;
            int n = (int)Math.Min(Chunk, length - at);
            AdamW.Average(device, new Mat(teacher.Data + at, 1, n), new Mat(student.Data + at, 1, n), rest);
        });
        for (int i = 0; i < student.Counters.Length; i++)
            teacher.Counters[i] = (long)((float)decay * teacher.Counters[i] + rest * student.Counters[i]);
    }
}
