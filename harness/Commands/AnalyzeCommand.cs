using System.CommandLine;
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
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>analyze: attention distance and singular values of pre-trained encoders, beside each other.</summary>
internal static class AnalyzeCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "analyze",
            "How far attention looks in each layer, and how many directions features use: for one run or "
                + "several beside each other. Example: lut analyze runs/mae runs/lut -o analysis"
        );
        var runs = command.Argument<string[]>("runs", "Folders of runs that pre-trained", ArgumentArity.OneOrMore);
        var images = command.Int("--images", 1000, "Test images to look at", 2);
        var data = command.Data();
        var device = command.Device("cpu, cuda:0, ...");
        var output = command.Output("Folder for the table analysis (Parquet) and the plots (SVG)", "analysis");
        var json = command.Json();
        command.SetAction(r =>
            Output.Print(
                Analyze(
                    [.. r.GetValue(runs)!.Select(RunFolders.Find)],
                    r.GetValue(images),
                    r.GetValue(data),
                    DeviceCatalog.Of(r.GetValue(device)!, "exact"),
                    r.GetValue(output)!
                ),
                r.GetValue(json),
                AnalyzeText.Write
            )
        );
        return command;
    }

    private static AnalyzeResult Analyze(RunStore[] runs, int images, string? data, Device device, string output)
    {
        AnalyzedRun[] found =
        [
            .. runs.Select(run => AnalyzedRun.Of(run, NameOf(run), Measure(run, images, data, device))),
        ];
        Write(output, found);
        return new AnalyzeResult(output, found, Exit.Ok);
    }

    private static string NameOf(RunStore run)
    {
        var p = ProtocolReader.Load(Path.Combine(run.Folder, "config.resolved.toml"), []);
        return FormattableString.Invariant(
            $"{p.Spec.Pretrain.Method.ToUpperInvariant()} {p.Spec.Protocol} seed {p.Spec.Seed}"
        );
    }

    private static AnalysisResult Measure(RunStore run, int images, string? data, Device device)
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
        using var pool = device.NewPool(Environment.ProcessorCount);
        var weights = new Weights(student, device, arena, backward: false);
        weights.Pack(pool);
        var test = DataSets.LoadTest(resolved.Spec.Data, data, Console.Error.WriteLine);
        return Analysis.Run(net, weights, device, pool, new Views(resolved.Spec, test), images);
    }

    private static void Write(string folder, IReadOnlyList<AnalyzedRun> found)
    {
        var store = RunStore.Create(folder);
        foreach (var analyzed in found)
        {
            string id = analyzed.Store.Read(Schema.Events).First?.RunId.Text ?? "";
            store.Commit(
                [new Table<AnalysisRow>(AnalysisCharts.Rows(new RunId(id), analyzed.Measured))],
                TableMetadata.Of(id)
            );
        }
        try
        {
            foreach (var (name, svg) in AnalysisCharts.Files([.. found.Select(f => (f.Name, f.Measured))]))
                WholeFile.WriteText(Path.Combine(folder, name + ".svg"), svg);
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw StoreErrors.CannotWritePlots(folder, e.Message);
        }
    }
}
