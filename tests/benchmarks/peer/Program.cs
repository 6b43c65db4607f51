using System.Diagnostics;
using System.Text.Json;
using LutNative.Peer;

// peer prepare            make TorchSharp's library load on Debian 12
// peer gemm THREADS       our products beside OpenBLAS's
// peer versus LUT_DLL THREADS ROUNDS SECONDS SHAPE:BATCH...    the step of both, interleaved
// peer step SHAPE BATCH THREADS SECONDS BLOCKS     one JSON line: images/s of the LUT step in TorchSharp
switch (args.FirstOrDefault())
{
    case "prepare":
        foreach (
            string file in Directory.GetFiles(
                AppContext.BaseDirectory,
                "libLibTorchSharp.so",
                SearchOption.AllDirectories
            )
        )
            Loader.Weaken(file);
        return 0;
    case "gemm":
        double worst = Blas.Compare(
            int.Parse(args[1]),
            samples: args.Length > 2 ? int.Parse(args[2]) : 7,
            quick: args.Length > 3
        );
        Console.WriteLine(FormattableString.Invariant($"worst ratio {worst:f3}"));
        return 0;
    case "versus":
        Versus.Run(
            args[1],
            args[5..],
            int.Parse(args[2]),
            int.Parse(args[3]),
            double.Parse(args[4], System.Globalization.CultureInfo.InvariantCulture)
        );
        return 0;
    case "step":
        Step(
            args[1],
            int.Parse(args[2]),
            int.Parse(args[3]),
            double.Parse(args[4], System.Globalization.CultureInfo.InvariantCulture),
            int.Parse(args[5])
        );
        return 0;
    default:
        Console.Error.WriteLine(
            "usage: peer prepare | gemm THREADS | versus LUT_DLL THREADS ROUNDS SECONDS SHAPE:BATCH... | "
                + "step SHAPE BATCH THREADS SECONDS BLOCKS"
        );
        return 2;
}

static void Step(string shape, int batch, int threads, double seconds, int blocks)
{
    TorchSharp.torch.set_num_threads(threads);
    var step = new TorchStep(Sizes.Of(shape), batch);
    step.Run();
    step.Run();
    long before = Stopwatch.GetTimestamp();
    step.Run();
    int steps = Math.Max(1, (int)Math.Round(seconds / Stopwatch.GetElapsedTime(before).TotalSeconds));
    var rates = new List<double>();
    double forward = 0;
    double backward = 0;
    double optimizer = 0;
    float loss = 0;
    for (int b = 0; b < blocks; b++)
    {
        before = Stopwatch.GetTimestamp();
        for (int i = 0; i < steps; i++)
        {
            var r = step.Run();
            (forward, backward, optimizer, loss) = (
                forward + r.Forward,
                backward + r.Backward,
                optimizer + r.Optimizer,
                r.Loss
            );
        }
        rates.Add(steps * batch / Stopwatch.GetElapsedTime(before).TotalSeconds);
    }
    int n = steps * blocks;
    using var self = Process.GetCurrentProcess();
    Console.WriteLine(
        JsonSerializer.Serialize(
            new
            {
                blocks = rates,
                forward_ms = 1e3 * forward / n,
                backward_ms = 1e3 * backward / n,
                optimizer_ms = 1e3 * optimizer / n,
                loss,
                peak_bytes = self.PeakWorkingSet64,
            }
        )
    );
}
