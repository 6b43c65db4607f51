using LutNative.Model.Numerics;
using LutNative.Model.Tensors;

namespace LutNative.Model.Ops;

internal static unsafe class TokensCpu<V, L>
    where V : unmanaged
    where L : struct, ILanes<V>
{
    internal static void Embed(Mat x, Mat patches, Mat cls, Mat pos, ReadOnlySpan<int> index, int kept)
    {
        int from = 0;
        int to = 0;
        for (int s = 0; s < patches.Rows / kept; s++)
        {
            EpilogueCpu<V, L>.AddRow(x.Row(to++), cls.Data, pos.Row(0), x.Cols);
            for (int i = 0; i < kept; i++, from++)
                EpilogueCpu<V, L>.AddRow(x.Row(to++), patches.Row(from), pos.Row(1 + index[from]), x.Cols);
        }
    }

    internal static void EmbedBackward(Mat dPatches, Mat dCls, Mat dPos, Mat dx, ReadOnlySpan<int> index, int kept)
    {
        int from = 0;
        int to = 0;
        int d = dx.Cols;
        for (int s = 0; s < dPatches.Rows / kept; s++)
        {
            if (!dPos.IsEmpty)
                EpilogueCpu<V, L>.AddRow(dPos.Row(0), dPos.Row(0), dx.Row(from), d);
            EpilogueCpu<V, L>.AddRow(dCls.Data, dCls.Data, dx.Row(from++), d);
            for (int i = 0; i < kept; i++, from++, to++)
            {
                Buffer.MemoryCopy(dx.Row(from), dPatches.Row(to), d * sizeof(float), d * sizeof(float));
                if (!dPos.IsEmpty)
                    EpilogueCpu<V, L>.AddRow(dPos.Row(1 + index[to]), dPos.Row(1 + index[to]), dx.Row(from), d);
            }
        }
        for (int j = 0; j < d; j++)
            dCls.Data[j] += 0f;
        if (!dPos.IsEmpty)
            for (long j = 0; j < dPos.Count; j++)
                dPos.Data[j] += 0f;
    }

    internal static void Restore(Mat z, Mat y, Mat maskToken, Mat pos, ReadOnlySpan<int> restore, int kept)
    {
        int patches = pos.Rows - 1;
        int to = 0;
        for (int s = 0; s < y.Rows / (kept + 1); s++)
        {
            int first = s * (kept + 1);
            EpilogueCpu<V, L>.AddRow(z.Row(to++), y.Row(first), pos.Row(0), z.Cols);
            for (int l = 0; l < patches; l++)
            {
                int place = restore[s * patches + l];
                EpilogueCpu<V, L>.AddRow(
                    z.Row(to++),
                    place < kept ? y.Row(first + 1 + place) : maskToken.Data,
                    pos.Row(1 + l),
                    z.Cols
                );
            }
        }
    }

    internal static void RestoreBackward(Mat dy, Mat dMaskToken, Mat dz, ReadOnlySpan<int> restore, int kept)
    {
        int sequences = dy.Rows / (kept + 1);
        int patches = restore.Length / sequences;
        int from = 0;
        long bytes = dy.Cols * sizeof(float);
        for (int s = 0; s < sequences; s++)
        {
            int first = s * (kept + 1);
            Buffer.MemoryCopy(dz.Row(from++), dy.Row(first), bytes, bytes);
            for (int l = 0; l < patches; l++, from++)
            {
                int place = restore[s * patches + l];
                if (place < kept)
                    Buffer.MemoryCopy(dz.Row(from), dy.Row(first + 1 + place), bytes, bytes);
                else
                    EpilogueCpu<V, L>.AddRow(dMaskToken.Data, dMaskToken.Data, dz.Row(from), dy.Cols);
            }
        }
        for (int j = 0; j < dy.Cols; j++)
            dMaskToken.Data[j] += 0f;
    }
}
