using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

internal static unsafe class TokensOracle
{
    internal static void Embed(Mat x, Mat patches, Mat cls, Mat pos, ReadOnlySpan<int> index, int kept)
    {
        for (int s = 0; s < patches.Rows / kept; s++)
        for (int i = 0; i <= kept; i++)
        for (int c = 0; c < x.Cols; c++)
            x.Row(s * (kept + 1) + i)[c] =
                i == 0
                    ? cls.Data[c] + pos.Row(0)[c]
                    : patches.Row(s * kept + i - 1)[c] + pos.Row(1 + index[s * kept + i - 1])[c];
    }

    internal static void EmbedBackward(Mat dPatches, Mat dCls, Mat dPos, Mat dx, ReadOnlySpan<int> index, int kept)
    {
        for (int s = 0; s < dPatches.Rows / kept; s++)
        for (int i = 0; i <= kept; i++)
        for (int c = 0; c < dx.Cols; c++)
        {
            float g = dx.Row(s * (kept + 1) + i)[c];
            if (i == 0)
                dCls.Data[c] = dCls.Data[c] + g;
            else
                dPatches.Row(s * kept + i - 1)[c] = g;
            if (!dPos.IsEmpty)
                dPos.Row(i == 0 ? 0 : 1 + index[s * kept + i - 1])[c] += g;
        }
        Positive(dCls);
        if (!dPos.IsEmpty)
            Positive(dPos);
    }

    internal static void Restore(Mat z, Mat y, Mat maskToken, Mat pos, ReadOnlySpan<int> restore, int kept)
    {
        int patches = pos.Rows - 1;
        for (int s = 0; s < y.Rows / (kept + 1); s++)
        for (int l = 0; l <= patches; l++)
        for (int c = 0; c < y.Cols; c++)
        {
            int place = l == 0 ? 0 : 1 + restore[s * patches + l - 1];
            z.Row(s * (patches + 1) + l)[c] =
                (place <= kept ? y.Row(s * (kept + 1) + place)[c] : maskToken.Data[c]) + pos.Row(l)[c];
        }
    }

    internal static void RestoreBackward(Mat dy, Mat dMaskToken, Mat dz, ReadOnlySpan<int> restore, int kept)
    {
        int sequences = dy.Rows / (kept + 1);
        int patches = restore.Length / sequences;
        for (int s = 0; s < sequences; s++)
        for (int l = 0; l <= patches; l++)
        for (int c = 0; c < dy.Cols; c++)
        {
            int place = l == 0 ? 0 : 1 + restore[s * patches + l - 1];
            float g = dz.Row(s * (patches + 1) + l)[c];
            if (place <= kept)
                dy.Row(s * (kept + 1) + place)[c] = g;
            else
                dMaskToken.Data[c] = dMaskToken.Data[c] + g;
        }
        Positive(dMaskToken);
    }

    private static void Positive(Mat g)
    {
        for (long i = 0; i < g.Count; i++)
            g.Data[i] += 0f;
    }
}
