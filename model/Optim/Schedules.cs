using LutNative.Model.Numerics;

namespace LutNative.Model.Optim;

/// <summary>Scalars that depend on progress alone, in double with our own cosine (NUMERICS rule 9).</summary>
public static class Schedules
{
    /// <summary>
    /// Linear warm-up from 0 to lr over warmup epochs, then half a cosine to minLr at the end. epoch may be fractional.
    /// Source: MAE util/lr_sched.py:14-26.
    /// </summary>
    public static double LearningRate(double epoch, double lr, double minLr, double warmup, double epochs) =>
        epoch < warmup
            ? lr * epoch / warmup
            : minLr + (lr - minLr) * 0.5 * (1.0 + HostMath.Cos(Math.PI * (epoch - warmup) / (epochs - warmup)));

    /// <summary>
    /// The teacher's decay at micro-step k of total: 1 + (base - 1) (1 + cos(pi k/total))/2.
    /// Source: LUT util/augs.py:77-88; used with the index of the last micro-step of a group (engine_lut.py:86-89).
    /// </summary>
    public static double EmaDecay(long k, long total, double start) =>
        1.0 + 0.5 * (start - 1.0) * (1.0 + HostMath.Cos(Math.PI * k / total));
}
