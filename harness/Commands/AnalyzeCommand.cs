using System.CommandLine;
using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Harness.Evaluation;
using LutNative.Harness.Experiments;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Recording;
using LutNative.Harness.Reports;
using LutNative.Harness.Surroundings;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>analyze: attention distance and singular values of pre-trained encoders, beside each other.</summary>
internal static class AnalyzeCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "analyze",
            "How far attention looks in each layer, and how many directions features use: for one run or several beside each other. Example: lut analyze runs/mae runs/lut -o analysis"
        );
        Argument<string[]> runs = new("runs")
        {
            Description = "Folders of runs that pre-trained",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<int> images = Numbers.Int("--images", 1000, "Test images to look at", 2);
        Option<string?> data = new("--data") { Description = "Folder with the data set's original files" };
        Option<string> device = new("--device") { Description = "cpu, cuda:0, ...", DefaultValueFactory = _ => "cpu" };
        Option<string> output = new("--output", "-o")
        {
            Description = "Folder for the table analysis (Parquet) and the plots (SVG)",
            DefaultValueFactory = _ => "analysis",
        };
        Option<bool> json = new("--json") { Description = "Print the result as one JSON object" };
        command.Arguments.Add(runs);
        foreach (Option o in new Option[] { images, data, device, output, json })
            command.Options.Add(o);
        command.SetAction(r =>
            (int)Execute(
                [.. r.GetValue(runs)!.Select(RunFolders.Find)],
                r.GetValue(images),
                r.GetValue(data),
                DeviceCatalog.Of(r.GetValue(device)!, "exact"),
                r.GetValue(output)!,
                r.GetValue(json)
            )
        );
        return command;
    }

    private static Exit Execute(RunStore[] runs, int images, string? data, Device device, string output, bool json)
    {
        var found = runs.Select(run => (Run: run, Name: NameOf(run), Result: Analyze(run, images, data, device)))
            .ToList();
        Write(output, found);
        static string F(double v, string f) => v.ToString(f, CultureInfo.InvariantCulture);
        if (json)
        {
            Output.Json(
                new
                {
                    output,
                    runs = found.Select(f => new
                    {
                        run = f.Run.Folder,
                        name = f.Name,
                        attention_distance = f.Result.Distance,
                        uniform = f.Result.Uniform,
                        image_log_singular_values = f.Result.ImageSpectrum,
                        token_log_singular_values = f.Result.TokenSpectrum,
                        images = f.Result.Images,
                        token_images = f.Result.TokenImages,
                    }),
                    exit = 0,
                }
            );
            return Exit.Ok;
        }
        Output.Table(
            ["attention distance, pixels", .. found.Select(f => f.Name)],
            [
                .. Enumerable
                    .Range(0, found.Max(f => f.Result.Distance.Length))
                    .Select(l =>
                        (string[])
                            [
                                $"layer {l} (heads)",
                                .. found.Select(f =>
                                    l < f.Result.Distance.Length
                                        ? $"{F(f.Result.Distance[l].Average(), "f2")} ({string.Join(" ", f.Result.Distance[l].Select(h => F(h, "f1")))})"
                                        : ""
                                ),
                            ]
                    ),
                ["looking everywhere alike", .. found.Select(f => F(f.Result.Uniform, "f2"))],
            ]
        );
        Console.Out.WriteLine();
        Output.Table(
            ["log singular value beside the first", .. found.Select(f => f.Name)],
            new[] { 1, 2, 4, 8, 16, 32, 64, 128, 256 }
                .Where(k => found.Any(f => k < f.Result.ImageSpectrum.Length))
                .Select(k =>
                    (string[])
                        [
                            $"images, rank {k}",
                            .. found.Select(f =>
                                k < f.Result.ImageSpectrum.Length
                                    ? F(f.Result.ImageSpectrum[k] - f.Result.ImageSpectrum[0], "f2")
                                    : ""
                            ),
                        ]
                )
                .Concat(
                    new[] { 1, 2, 4, 8, 16, 32, 64 }
                        .Where(k => found.Any(f => k < f.Result.TokenSpectrum.Length))
                        .Select(k =>
                            (string[])
                                [
                                    $"tokens of an image, rank {k}",
                                    .. found.Select(f =>
                                        k < f.Result.TokenSpectrum.Length
                                            ? F(f.Result.TokenSpectrum[k] - f.Result.TokenSpectrum[0], "f2")
                                            : ""
                                    ),
                                ]
                        )
                )
        );
        Output.Line($"table and plots: {output}");
        return Exit.Ok;
    }

    private static string NameOf(RunStore run)
    {
        var p = ProtocolReader.Load(Path.Combine(run.Folder, "config.resolved.toml"), []);
        return FormattableString.Invariant(
            $"{p.Spec.Pretrain.Method.ToUpperInvariant()} {p.Spec.Protocol} seed {p.Spec.Seed}"
        );
    }

    private static AnalysisResult Analyze(RunStore run, int images, string? data, Device device)
    {
        var resolved = ProtocolReader.Load(Path.Combine(run.Folder, "config.resolved.toml"), []);
        var store = CheckpointStore.Of(run);
        long last = store.StepsOf(StageId.Pretrain.Name).DefaultIfEmpty(-1).Max();
        if (last < 0)
            throw DataErrors.NoPretrainedCheckpoint(store.Folder);
        using var arena = device.NewArena();
        var net = NetworkFactory.PretrainingOf(resolved.Spec);
        var student = new State(net.Layout, arena);
        string path = store.PathOf(StageId.Pretrain.Name, last);
        OuterWeights.Load(path, "", student, WeightsUse.Features);
        using var pool = new Pool(Math.Min(Environment.ProcessorCount, device.MostThreads));
        var weights = new Weights(student, device, arena, backward: false);
        weights.Pack(pool);
        var test = DataSets.LoadTest(resolved.Spec.Data, data, Console.Error.WriteLine);
        return Analysis.Run(net, weights, device, pool, new Views(resolved.Spec, test), images);
    }

    private static void Write(string folder, List<(RunStore Run, string Name, AnalysisResult Result)> found)
    {
        var store = RunStore.Create(folder);
        foreach (var (run, _, result) in found)
        {
            string id = run.Read(Schema.Events).First?.RunId.Text ?? "";
            store.Commit(
                [new Table<AnalysisRow>(AnalysisCharts.Rows(new RunId(id), result))],
                new Dictionary<string, string> { ["lut.run_id"] = id, ["lut.writer"] = "lut " + LutVersion.Text }
            );
        }
        try
        {
            foreach (var (name, svg) in AnalysisCharts.Files([.. found.Select(f => (f.Name, f.Result))]))
                WholeFile.WriteText(Path.Combine(folder, name + ".svg"), svg);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StoreErrors.CannotWritePlots(folder, e.Message);
        }
    }
}
