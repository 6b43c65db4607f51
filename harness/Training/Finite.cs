using LutNative.Harness.Errors;
using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Harness.Training;

/// <summary>Refuses to go on with numbers that are not finite (NUMERICS rule 11).</summary>
internal static class Finite
{
    internal static void Check(Device device, string stage, long step, float loss, float norm, Gradient gradient)
    {
        if (float.IsFinite(loss) && float.IsFinite(norm))
            return;
        string where = "the loss";
        foreach (var e in gradient.Layout.Entries.Where(e => e.Kind == EntryKind.Parameter))
        {
            var values = new float[e.Count];
            device.Read(values, gradient[e]);
            int i = values.AsSpan().IndexOfAnyExceptInRange(float.MinValue, float.MaxValue);
            if (i < 0)
                continue;
            where = FormattableString.Invariant($"gradient of {e.Name}[{i / e.Cols}, {i % e.Cols}] = {values[i]}");
            break;
        }
        throw NumericsErrors.NotFinite(loss, norm, step, stage, where);
    }
}
