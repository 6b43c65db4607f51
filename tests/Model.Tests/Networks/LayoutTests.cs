using LutNative.Model.Layers;
using LutNative.Model.Networks;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Tests.Networks;

/// <summary>Tensors are registered in the order of the authors' state dict: files and flat buffers have it.</summary>
public sealed class LayoutTests
{
    private static readonly VitShape Shape = new(new PatchGrid(12, 3), 20, 1, 2);

    [Fact]
    public void AHeadsTensorsHaveTheAuthorsOrder()
    {
        var options = new LutOptions(0.75, true, 1.0, 0.25, true, DepthHead: 3, DepthPred: 2, HeadMlpDim: 24);
        var net = new Lut(Shape, new DecoderShape(12, 1, 2), options);
        string[] heads = [.. net.Layout.Entries.Select(e => e.Name).SkipWhile(n => n != "head.0.weight")];
        string[] expected =
        [
            "head.0.weight",
            "head.1.weight",
            "head.1.bias",
            "head.1.running_mean",
            "head.1.running_var",
            "head.3.weight",
            "head.4.weight",
            "head.4.bias",
            "head.4.running_mean",
            "head.4.running_var",
            "head.6.weight",
            "predictor.0.weight",
            "predictor.1.weight",
            "predictor.1.bias",
            "predictor.1.running_mean",
            "predictor.1.running_var",
            "predictor.3.weight",
        ];
        Assert.Equal(expected, heads);
        Assert.Equal(
            ["head.1.num_batches_tracked", "head.4.num_batches_tracked", "predictor.1.num_batches_tracked"],
            net.Layout.Counters
        );
    }

    [Theory]
    [InlineData(HeadNorm.LayerNorm, "head.0.weight head.1.weight head.1.bias head.3.weight")]
    [InlineData(HeadNorm.None, "head.0.weight head.2.weight")]
    public void AHeadWithAnotherNormCountsItsPositions(HeadNorm norm, string expected)
    {
        var layout = new StateLayout();
        _ = new MlpHead(layout, "head", 2, 20, 24, norm, HeadActivation.Relu);
        Assert.Equal(expected, string.Join(' ', layout.Entries.Select(e => e.Name)));
    }
}
