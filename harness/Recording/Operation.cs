using LutNative.Model.Numerics;
using LutNative.Model.Ops;

namespace LutNative.Harness.Recording;

/// <summary>One output of one operation of a step.</summary>
/// <param name="Tensor">
/// The parameter that it reads or makes the gradient of; where it has none, the last one before, after "&gt; ".
/// </param>
public sealed record Operation(
    int Ordinal,
    OpId Op,
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
            $"operation {Ordinal}, {Op.Phase} {Op} at {Tensor}, output {Output} [{Rows}, {Cols}]"
        );
}
