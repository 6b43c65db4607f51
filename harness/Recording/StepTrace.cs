using LutNative.Harness.Training;
using LutNative.Model.Diagnosis;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Harness.Recording;

/// <summary>
/// Runs a step and sees every operation of it. With one thread the order is fixed: grain by grain, forward then
/// backward, then the update.
/// </summary>
public static class StepTrace
{
    /// <param name="see">Also called with every output's values, which are overwritten later.</param>
    public static StepReport Record(
        Trainer t,
        InstrumentedDevice device,
        long step,
        Action<Operation> record,
        Action<Operation, Mat>? see = null
    )
    {
        int ordinal = 0;
        string last = "the input";
        device.NameOf = t.NameOf;
        device.Watch = (op, tensor, output, value) =>
        {
            if (tensor is not null)
                last = tensor;
            var o = Count(device, ordinal++, op, tensor ?? "> " + last, output, value);
            record(o);
            see?.Invoke(o, value);
        };
        try
        {
            return t.Step(step);
        }
        finally
        {
            device.Watch = null;
        }
    }

    private static Operation Count(
        InstrumentedDevice device,
        int ordinal,
        OpId op,
        string tensor,
        string output,
        Mat value
    )
    {
        long nan = 0;
        long inf = 0;
        long zero = 0;
        long subnormal = 0;
        foreach (float x in value.Span)
        {
            if (float.IsNaN(x))
                nan++;
            else if (float.IsInfinity(x))
                inf++;
            else if (x == 0f)
                zero++;
            else if (float.IsSubnormal(x))
                subnormal++;
        }
        return new Operation(
            ordinal,
            op,
            tensor,
            output,
            value.Rows,
            value.Cols,
            device.DigestOf(value),
            nan,
            inf,
            zero,
            subnormal
        );
    }
}
