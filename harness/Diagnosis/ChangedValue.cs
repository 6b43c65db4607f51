using System.Numerics;
using LutNative.Harness.Recording;
using LutNative.Harness.Training;
using LutNative.Model.Numerics;
using LutNative.Results;

namespace LutNative.Harness.Diagnosis;

/// <summary>
/// A value that changed in memory after a step: digests are sums, so their difference names element and bit.
/// </summary>
internal static class ChangedValue
{
    /// <summary>Everything but single tensors is equal, and one changed element explains each of them.</summary>
    internal static (string Text, ElementPair? Element)? In(
        Trainer trainer,
        Recorded run,
        long step,
        StepReport r,
        List<TensorDigest> state
    )
    {
        var tensors = run.Tensors(step, state);
        if (tensors.Count is 0 or > 4 || run.Difference(step, r, state) != tensors[0])
            return null;
        var found = new List<ElementPair>();
        foreach (string tensor in tensors)
        {
            var difference = run.DigestsOf(step)![tensor] - state.First(t => t.Tensor == tensor).Value;
            if (Element(trainer, tensor, difference) is not { } pair)
                return null;
            found.Add(pair);
        }
        string Kind(ElementPair p) =>
            BitOperations.PopCount(p.A ^ p.B) == 1
                ? FormattableString.Invariant(
                    $"bit {BitOperations.Log2(p.A ^ p.B)} of {p.Tensor}[{p.Element}] was flipped"
                )
                : $"{p.Tensor}[{p.Element}] was replaced";
        return ($"{string.Join("; ", found.Select(Kind))}, in memory after the step: every operation agrees", found[0]);
    }

    private static ElementPair? Element(Trainer trainer, string tensor, Digest difference)
    {
        int slash = tensor.IndexOf('/', StringComparison.Ordinal);
        var state = trainer.States.First(s => s.Name == tensor[..slash]).State;
        if (state.Layout.Find(tensor[(slash + 1)..]) is not { } e)
            return null;
        float[] values = new float[e.Count];
        state.Read(e, values);
        for (long i = 0; i < values.Length; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(values[i]);
            var own = Digest.OfElement(i, bits);
            for (int k = 0; k < 36; k++)
            {
                uint other = k switch
                {
                    < 32 => bits ^ 1u << k,
                    32 => 0u,
                    33 => 0x80000000,
                    34 => 0x7fc00000,
                    _ => 0x7f800000,
                };
                if (Digest.OfElement(i, other) - own == difference)
                    return new ElementPair(
                        tensor,
                        i,
                        bits,
                        other,
                        Divergence.UlpDistance(values[i], BitConverter.UInt32BitsToSingle(other)),
                        1,
                        e.Count
                    );
            }
        }
        return null;
    }
}
