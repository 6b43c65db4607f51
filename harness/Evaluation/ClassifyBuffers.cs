using LutNative.Model.Networks;
using LutNative.Model.Tensors;

namespace LutNative.Harness.Evaluation;

/// <summary>What a classifier needs to score N images, S at a time and worker.</summary>
internal sealed class ClassifyBuffers
{
    /// <param name="arena">Of the classifier's device.</param>
    /// <param name="host">Of the host, for the scores.</param>
    internal ClassifyBuffers(Classifier net, int images, int workers, Arena arena, Arena host)
    {
        Scores = host.Matrix(images, net.Classes);
        Workers = new Classifier.Activations[workers];
        for (int w = 0; w < workers; w++)
            Workers[w] = new Classifier.Activations(arena, net, Classify.Chunk, training: false);
    }

    internal Mat Scores { get; } // [N, classes]
    internal Classifier.Activations[] Workers { get; }
}
