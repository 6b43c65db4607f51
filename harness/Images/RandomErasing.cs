using LutNative.Harness.Protocol;
using LutNative.Model.Numerics;

namespace LutNative.Harness.Images;

/// <summary>
/// Random erasing of a normalised image, mode "pixel", one box: with probability erase_prob a box of drawn area and
/// aspect becomes standard normal noise, if one of ten tries fits. Source: timm 0.4.12 data/random_erasing.py.
/// </summary>
public static class RandomErasing
{
    /// <param name="planes">[3, size, size].</param>
    public static void Run(Span<float> planes, int size, TransformSpec t, Philox random)
    {
        if (random.NextDouble() >= t.EraseProb)
            return;
        double low = HostMath.Log(t.EraseAspectMin);
        double high = -low;
        for (int i = 0; i < 10; i++)
        {
            double area =
                (double)size * size * (t.EraseAreaMin + (t.EraseAreaMax - t.EraseAreaMin) * random.NextDouble());
            double aspect = HostMath.Exp(low + (high - low) * random.NextDouble());
            int h = (int)Math.Round(Math.Sqrt(area * aspect));
            int w = (int)Math.Round(Math.Sqrt(area / aspect));
            if (w >= size || h >= size)
                continue;
            int top = (int)random.NextBelow((uint)(size - h + 1));
            int left = (int)random.NextBelow((uint)(size - w + 1));
            for (int c = 0; c < 3; c++)
            for (int y = top; y < top + h; y++)
            for (int x = left; x < left + w; x++)
                planes[(c * size + y) * size + x] = (float)random.NextNormal();
            return;
        }
    }
}
