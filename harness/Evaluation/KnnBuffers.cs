using LutNative.Model.Devices;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Harness.Evaluation;

/// <summary>What k-NN needs besides its features: N training and T test images of D channels, on the host.</summary>
internal sealed class KnnBuffers
{
    internal KnnBuffers(int train, int test, int width, Device device, int workers, Arena arena)
    {
        Train = arena.Matrix(train, width);
        TrainSquares = arena.Matrix(train, 1);
        Test = arena.Matrix(test, width);
        TestSquares = arena.Matrix(test, 1);
        Weight = Weight.For(device, arena, Train, backward: false);
        Similarity = new Mat[workers];
        for (int w = 0; w < workers; w++)
            Similarity[w] = arena.Matrix(Knn.Chunk, train);
    }

    internal Mat Train { get; } // [N, D], unit vectors
    internal Mat TrainSquares { get; } // [N, 1]
    internal Mat Test { get; } // [T, D], unit vectors
    internal Mat TestSquares { get; } // [T, 1]
    internal Weight Weight { get; } // Train as the product's weight
    internal Mat[] Similarity { get; } // a worker's each: [Chunk, N]
}
