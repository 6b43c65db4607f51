using System.CommandLine;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Model.Layers;
using LutNative.Model.Tensors;

namespace LutNative.Harness.Commands;

/// <summary>
/// classify: a fine-tuned classifier's accuracy on the validation images, or on folders whose classes are some of the
/// data set's (robustness sets).
/// </summary>
internal static class ClassifyCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "classify",
            "Evaluate a fine-tuned classifier: top-1 and top-5, each image once. Example: lut classify "
                + "imagenet-lut-vitb16@1 --checkpoint finetuned.pth --data /data/imagenet --over /data/imagenet-a"
        );
        var options = new RunOptions(command);
        var checkpoint = command.Option<string>(
            "--checkpoint",
            "A classifier: ours, .safetensors, .pth or .pt",
            required: true
        );
        var which = command.Which("Which set of a file that holds several: model, model_ema, ...");
        var over = command.Option<string[]>(
            "--over",
            "A folder of class folders to evaluate in place of the validation images: ImageNet-A, -R, -Sketch, "
                + "-V2, or one corruption and severity of -C. May be repeated; of several the mean error is told"
        );
        var logits = command.Option<string?>("--logits", "Write the scores of every image to this .safetensors file");
        command.SetAction(r =>
            Output.Print(
                Classify(
                    options.Request(r, [], r.GetValue(checkpoint)),
                    r.GetValue(which)!,
                    r.GetValue(over) ?? [],
                    r.GetValue(logits)
                ),
                r.GetValue(options.Json),
                ClassifyResult.Text
            )
        );
        return command;
    }

    /// <param name="over">Folders in place of the validation images; empty for these.</param>
    /// <param name="logits">A file for every image's scores, or null.</param>
    private static ClassifyResult Classify(RunRequest request, string which, string[] over, string? logits)
    {
        var p = request.Protocol.Spec;
        var device = request.Device;
        using var pool = device.NewPool(request.Exec.Threads);
        using var arena = device.NewArena();
        var net = NetworkFactory.ClassifierOf(p, training: false);
        var state = new State(net.Layout, arena);
        foreach (string note in OuterWeights.Load(request.Checkpoint!, which, state, WeightsUse.Classifier).Notes)
            Console.Error.WriteLine(note);
        var weights = new Weights(state, device, arena, backward: false);
        weights.Pack(pool);
        var sets = new List<ClassifiedSet>();
        if (over.Length == 0)
        {
            var images = DataSets.LoadTest(p.Data, request.DataFolder, Console.Error.WriteLine, request.Index);
            Evaluate("validation", images, null);
        }
        var known = over.Length == 0 ? null : ClassesOf(request);
        foreach (string folder in over)
        {
            var subset = new Subset(folder, known, p.Data.Classes, Console.Error.WriteLine);
            Evaluate(Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)), subset, subset.Present);
        }
        return new ClassifyResult(
            request.Protocol.Name,
            request.Checkpoint,
            sets,
            100 - sets.Average(s => s.Percent),
            Exit.Ok
        );

        void Evaluate(string name, ImageSource images, int[]? present)
        {
            var views = new Views(p, images);
            var found = Evaluation.Classify.Run("top1", net, weights, views, device, pool, present, logits);
            sets.Add(new ClassifiedSet(name, found.Correct, found.Labels.Length, found.Top5, found.Accuracy));
        }
    }

    /// <summary>The classes of the data set's own folder, in the order of the labels; null where they are numbers.</summary>
    private static IReadOnlyList<string>? ClassesOf(RunRequest request)
    {
        int expected = request.Protocol.Spec.Data.Classes;
        string data = request.DataFolder ?? throw UsageErrors.OverNeedsData();
        var known = DataSets.Container(data, "val").Classes;
        if (known is not null && known.Count != expected)
            throw DataSetErrors.OtherNumberOfClasses(known.Count, expected, data);
        return known;
    }
}
