using LutNative.Model.Devices;
using LutNative.Model.Numerics;

namespace LutNative.Harness.Recording;

/// <summary>One output of one operation of a step.</summary>
/// <param name="Tensor">
/// The parameter that it reads or makes the gradient of; where it has none, the last one before, after "&gt; ".
/// </param>
public sealed record Operation(
    int Ordinal,
    string Op,
    string Tensor,
    string Output,
    int Rows,
    int Cols,
    Digest Digest,
    long Nan,
    long Inf,
    long Zero,
    long Subnormal
)
{
    public override string ToString() =>
        FormattableString.Invariant(
            $"operation {Ordinal}, {InstrumentedDevice.PhaseOf(Op)} {Op} at {Tensor}, output {Output} [{Rows}, {Cols}]"
        );
}
