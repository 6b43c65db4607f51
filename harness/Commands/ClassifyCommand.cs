using System.CommandLine;
using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Harness.Evaluation;
using LutNative.Harness.Experiments;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Model.Layers;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

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
            "Evaluate a fine-tuned classifier: top-1 and top-5, each image once. Example: lut classify imagenet-lut-vitb16@1 --checkpoint finetuned.pth --data /data/imagenet --over /data/imagenet-a"
        );
        var options = new RunOptions(command);
        Option<string> checkpoint = new("--checkpoint")
        {
            Description = "A classifier: ours, .safetensors, .pth or .pt",
            Required = true,
        };
        Option<string> which = new("--which")
        {
            Description = "Which set of a file that holds several: model, model_ema, ...",
            DefaultValueFactory = _ => "",
        };
        Option<string[]> over = new("--over")
        {
            Description =
                "A folder of class folders to evaluate in place of the validation images: ImageNet-A, -R, -Sketch, -V2, or one corruption and severity of -C. May be repeated; of several the mean error is told",
        };
        Option<string?> logits = new("--logits")
        {
            Description = "Write the scores of every image to this .safetensors file",
        };
        foreach (Option o in new Option[] { checkpoint, which, over, logits })
            command.Options.Add(o);
        command.SetAction(r =>
            Execute(
                options.Request(r, [], r.GetValue(checkpoint)),
                r.GetValue(which)!,
                r.GetValue(over) ?? [],
                r.GetValue(logits),
                r.GetValue(options.Json)
            )
        );
        return command;
    }

    private static int Execute(RunRequest request, string which, string[] over, string? logitsPath, bool json)
    {
        var p = request.Protocol.Spec;
        var device = request.Device;
        using var pool = new Pool(Math.Min(request.Exec.Threads, device.MostThreads));
        using var arena = device.NewArena();
        var net = NetworkFactory.ClassifierOf(p, training: false);
        var state = new State(net.Layout, arena);
        foreach (string note in OuterWeights.Load(request.Checkpoint!, which, state, WeightsUse.Classifier).Notes)
            Console.Error.WriteLine(note);
        var weights = new Weights(state, device, arena, backward: false);
        weights.Pack(pool);
        var results = new List<(string Set, EvalResult Result)>();
        if (over.Length == 0)
            results.Add(
                (
                    "validation",
                    Run(DataSets.LoadTest(p.Data, request.DataFolder, Console.Error.WriteLine, request.Index), null)
                )
            );
        else
        {
            string data =
                request.DataFolder
                ?? throw new LutError(
                    Exit.Usage,
                    24,
                    "--over needs the data set's own folder too",
                    "--data",
                    "the names of its classes give the labels",
                    "add --data FOLDER"
                );
            var known = DataSets.Container(data, "val").Classes;
            if (known is not null && known.Count != p.Data.Classes)
                throw new LutError(
                    Exit.Data,
                    449,
                    FormattableString.Invariant(
                        $"the data set has {known.Count} classes, the protocol {p.Data.Classes}"
                    ),
                    Path.GetFullPath(data),
                    "labels are the places of its folders' names in order",
                    "give --data the folder whose val has every class"
                );
            foreach (string folder in over)
            {
                var subset = new Subset(folder, known, p.Data.Classes, Console.Error.WriteLine);
                results.Add((Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)), Run(subset, subset.Present)));
            }
        }

        EvalResult Run(ImageSource images, int[]? present) =>
            Classify.Run("top1", net, weights, new Views(p, images), device, pool, present, logitsPath);
        if (json)
            Output.Json(
                new
                {
                    protocol = request.Protocol.Name,
                    checkpoint = request.Checkpoint,
                    results = results.Select(x => new
                    {
                        set = x.Set,
                        correct = x.Result.Correct,
                        n = x.Result.Labels.Length,
                        top5 = x.Result.Top5,
                        percent = x.Result.Accuracy,
                    }),
                    mean_error = 100 - results.Average(x => x.Result.Accuracy),
                    exit = 0,
                }
            );
        else
        {
            Output.Table(
                ["set", "top-1", "percent", "top-5"],
                results.Select(x =>
                    new[]
                    {
                        x.Set,
                        $"{x.Result.Correct}/{x.Result.Labels.Length}",
                        x.Result.Accuracy.ToString("f3", CultureInfo.InvariantCulture),
                        x.Result.Top5 is { } five ? $"{five}/{x.Result.Labels.Length}" : "",
                    }
                )
            );
            if (results.Count > 1)
                Console.Out.WriteLine(
                    FormattableString.Invariant(
                        $"mean error over {results.Count} sets: {100 - results.Average(x => x.Result.Accuracy):f3} %"
                    )
                );
        }
        return 0;
    }
}
