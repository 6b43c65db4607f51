using LutNative.Harness.Data;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Tensors;

namespace LutNative.Harness.Evaluation;

/// <summary>A trained classifier on every image of a set, once.</summary>
public static class Classify
{
    private const int Chunk = 50;

    public static EvalResult Run(string metric, Classifier net, Weights weights, Views views, Device device, Pool pool)
    {
        using Arena arena = device.NewArena(), host = new();
        int n = views.Images.Count;
        Mat scores = host.Matrix(n, net.Classes);
        var workers = Enumerable.Range(0, pool.Workers).Select(_ =>
        {
            var a = new Classifier.Activations(arena, net, Chunk, training: false);
            a.AllPatches();
            return (A: a, Image: new HostInput(device, net.Shape.Grid.ImageFloats));
        }).ToArray();
        pool.Run((n + Chunk - 1) / Chunk, (chunk, w) =>
        {
            int count = Math.Min(Chunk, n - chunk * Chunk);
            for (int i = 0; i < count; i++)
            {
                views.Plain(chunk * Chunk + i, workers[w].Image.Begin(workers[w].A.Trunk.Images.Slice(i, 1)));
                workers[w].Image.End();
            }
            net.Forward(new Pass(device, weights), workers[w].A);
            device.Read(scores.Slice(chunk * Chunk, count).Span, workers[w].A.Logits.Slice(0, count));
        });
        return LinearProbe.Predictions(metric, scores, views.Images.Labels);
    }
}
