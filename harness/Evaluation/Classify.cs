using LutNative.Harness.Errors;
using LutNative.Harness.Images;
using LutNative.Model.Checkpoints;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;
using LutNative.Results;

namespace LutNative.Harness.Evaluation;

/// <summary>A trained classifier on every image of a set, once.</summary>
public static class Classify
{
    internal const int Chunk = 50;

    /// <param name="present">Classes that compete, where the set has not all of them; null for all.</param>
    /// <param name="logitsPath">Where to write the scores [N, classes] as safetensors, or null.</param>
    public static EvalResult Run(
        string metric,
        Classifier net,
        Weights weights,
        Views views,
        Device device,
        Pool pool,
        int[]? present = null,
        string? logitsPath = null
    )
    {
        using Arena arena = device.NewArena();
        using Arena host = new();
        int n = views.Images.Count;
        var buffers = new ClassifyBuffers(net, n, pool.Workers, arena, host);
        Mat scores = buffers.Scores;
        HostInput[] inputs = [.. buffers.Workers.Select(_ => new HostInput(device, net.Shape.Grid.ImageFloats))];
        pool.Run(
            (n + Chunk - 1) / Chunk,
            (chunk, w) =>
            {
                int count = Math.Min(Chunk, n - chunk * Chunk);
                var (a, image) = (buffers.Workers[w], inputs[w]);
                for (int i = 0; i < count; i++)
                {
                    views.Plain(chunk * Chunk + i, image.Begin(a.Trunk.Images.Slice(i, 1)));
                    image.End();
                }
                net.Forward(new Pass(device, weights), a);
                device.Read(scores.Slice(chunk * Chunk, count).Span, a.Logits.Slice(0, count));
            }
        );
        if (logitsPath is not null)
            Write(logitsPath, scores, views.Images.Labels);
        if (present is not null && present.Length < net.Classes)
            Mask(scores, present);
        return LinearProbe.Predictions(metric, scores, views.Images.Labels);
    }

    private static void Mask(Mat scores, int[] present)
    {
        bool[] competes = new bool[scores.Cols];
        foreach (int c in present)
            competes[c] = true;
        for (int i = 0; i < scores.Rows; i++)
        {
            var row = scores.Slice(i, 1).Span;
            for (int c = 0; c < row.Length; c++)
                if (!competes[c])
                    row[c] = float.NegativeInfinity;
        }
    }

    private static void Write(string path, Mat scores, int[] labels)
    {
        byte[] values = System.Runtime.InteropServices.MemoryMarshal.AsBytes(scores.Span).ToArray();
        byte[] ids = System
            .Runtime.InteropServices.MemoryMarshal.AsBytes(labels.Select(l => (long)l).ToArray().AsSpan())
            .ToArray();
        SafeTensor[] tensors =
        [
            new("logits", "F32", [scores.Rows, scores.Cols], values),
            new("labels", "I64", [labels.Length], ids),
        ];
        try
        {
            WholeFile.Write(
                path,
                to => Safetensors.Write(to, tensors, new Dictionary<string, string> { ["format"] = "pt" })
            );
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw StoreErrors.CannotWriteScores(path, e.Message);
        }
    }
}
