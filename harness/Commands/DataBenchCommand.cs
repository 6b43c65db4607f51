using System.CommandLine;
using System.Diagnostics;
using LutNative.Harness.Errors;
using LutNative.Harness.Images;
using LutNative.Harness.Protocol;
using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Commands;

/// <param name="ImagesPerSecond">On one thread.</param>
internal sealed record PipelineSpeed(string Name, double ImagesPerSecond);

internal sealed record DataBenchResult(int Images, IReadOnlyList<PipelineSpeed> Pipelines, Exit Exit) : IVerbResult
{
    internal static void Text(DataBenchResult found) =>
        Output.Table(
            ["pipeline", "images/s, one thread"],
            found.Pipelines.Select(p => new[] { p.Name, p.ImagesPerSecond.Text("f0") })
        );
}

/// <summary>data bench: how fast one thread makes what a network sees.</summary>
internal static class DataBenchCommand
{
    private const double DefaultSeconds = 3;
    private const int WarmUp = 8;

    /// <summary>Fine-tuning's place among the streams of random numbers (docs/NUMERICS.md).</summary>
    private const uint FinetuneView = 11;

    internal static Command Build()
    {
        var command = ImageSetOptions.Verb(
            "bench",
            "Images a second on one thread: decoding alone, and each pipeline of imagenet-lut-vitb16@1"
        );
        var options = new ImageSetOptions(command);
        var seconds = command.Double("--seconds", "Time for each pipeline (3 by default)", 1e-3, 86400);
        command.SetAction(r =>
            Output.Print(
                Measure(options.Open(r), r.GetValue(seconds) ?? DefaultSeconds),
                r.GetValue(options.Json),
                DataBenchResult.Text
            )
        );
        return command;
    }

    private static DataBenchResult Measure(ImageSource set, double seconds)
    {
        var lut = ProtocolReader.Load("imagenet-lut-vitb16@1", []).Spec;
        Views views = new(lut, set);
        Views resized = new(ProtocolReader.Load("imagenet-mae-vitb16@1", []).Spec, set);
        var planes = new float[3 * lut.Data.ImageSize * lut.Data.ImageSize];
        var pipelines = new (string Name, Action<int, uint> Run)[]
        {
            ("decode", (i, _) => set.Read(i)),
            ("weak", (i, e) => views.Weak(i, e, 0, planes)),
            ("strong", (i, e) => views.Strong(i, e, 1, planes)),
            ("random_resized", (i, e) => resized.Weak(i, e, 0, planes)),
            ("train", (i, e) => views.Train(i, e, FinetuneView, planes)),
            ("eval", (i, _) => views.Plain(i, planes)),
        };
        return new DataBenchResult(
            set.Count,
            [.. pipelines.Select(p => new PipelineSpeed(p.Name, Rate(p.Run, set.Count, seconds)))],
            Exit.Ok
        );
    }

    private static double Rate(Action<int, uint> run, int count, double seconds)
    {
        for (int i = 0; i < Math.Min(count, WarmUp); i++)
            run(i, 0);
        long begin = Stopwatch.GetTimestamp();
        long n = 0;
        while (Stopwatch.GetElapsedTime(begin).TotalSeconds < seconds)
        {
            run((int)(n % count), (uint)(n / count));
            n++;
        }
        return n / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }
}
