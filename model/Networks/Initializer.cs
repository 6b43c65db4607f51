using LutNative.Model.Layers;
using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Networks;

/// <summary>
/// First values of a state, each tensor from its own Philox stream addressed by its name. Linear and patch-embedding
/// weights xavier-uniform; biases 0 but patch_embed's U(+-1/sqrt(fan_in)); norms 1 and 0; tokens N(0, 0.02); position
/// tables sine-cosine; running statistics 0 and 1; a classifier's head N(0, 2e-5). Source: LUT models_lut.py:80-110,
/// MAE main_finetune.py:268.
/// </summary>
public static class Initializer
{
    public static void Fill(State state, ulong seed)
    {
        foreach (var e in state.Layout.Entries)
        {
            var x = new float[e.Count];
            var random = new Philox(seed, Purpose.Init, 0, NameHash(e.Name), 0);
            if (e.Name.EndsWith("pos_embed", StringComparison.Ordinal))
                PositionTable.Fill(x, e.Cols, (int)Math.Sqrt(e.Rows - 1));
            else if (e.Name == "head.weight" && e.Shape.Length == 2)
                Normal(x, ref random, 2e-5);
            else if (e.Shape.Length is 2 or 4)
                Uniform(x, ref random, Math.Sqrt(6.0 / (e.Rows + e.Cols)));
            else if (e.Shape.Length == 3)
                Normal(x, ref random, 0.02);
            else if (e.Name == "patch_embed.proj.bias")
                Uniform(x, ref random, 1.0 / Math.Sqrt(state.Layout["patch_embed.proj.weight"].Cols));
            else if (
                e.Name.EndsWith(".bias", StringComparison.Ordinal)
                || e.Name.EndsWith("running_mean", StringComparison.Ordinal)
            ) { } // zeros
            else
                Array.Fill(x, 1f);
            state.Write(e, x);
        }
    }

    private static void Uniform(Span<float> x, ref Philox random, double bound)
    {
        for (int i = 0; i < x.Length; i++)
            x[i] = (float)((2.0 * random.NextDouble() - 1.0) * bound);
    }

    private static void Normal(Span<float> x, ref Philox random, double std)
    {
        for (int i = 0; i < x.Length; i++)
            x[i] = (float)(random.NextNormal() * std);
    }

    private static uint NameHash(string name)
    {
        uint hash = 2166136261; // FNV-1a
        foreach (char c in name)
            hash = (hash ^ c) * 16777619;
        return hash;
    }
}
