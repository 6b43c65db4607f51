using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace LutNative.Peer;

/// <summary>
/// The same LUT step in `lut bench` and in three settings of the peer, round after round in fresh processes, so that a
/// neighbour's load falls on all of them; prints medians over all blocks and the ratios.
/// </summary>
internal static class Versus
{
    private sealed record Runner(
        string Name,
        Func<string, int, string[]> Command,
        Dictionary<string, string> Environment
    );

    internal static void Run(string lut, string[] shapes, int threads, int rounds, double seconds)
    {
        string here = AppContext.BaseDirectory;
        string loader = Path.Combine(here, "loader.so");
        string avx512 = Path.Combine(here, "avx512.so");
        string self = Path.Combine(here, "peer.dll");
        string jemalloc = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2";
        string s = seconds.ToString(CultureInfo.InvariantCulture);
        string[] Peer(string shape, int batch) => [self, "step", shape, $"{batch}", $"{threads}", s, "2"];
        var runners = new List<Runner>
        {
            new(
                "lutnative",
                (shape, batch) =>
                    [
                        lut,
                        "bench",
                        shape,
                        "--batch",
                        $"{batch}",
                        "--threads",
                        $"{threads}",
                        "--launches",
                        "0",
                        "--blocks",
                        "2",
                        "--seconds",
                        s,
                        "--premade",
                    ],
                []
            ),
            new("torch as shipped", Peer, new() { ["LD_PRELOAD"] = loader }),
            new("torch, MKL with AVX-512", Peer, new() { ["LD_PRELOAD"] = $"{loader} {avx512}" }),
        };
        if (File.Exists(jemalloc))
            runners.Add(
                new(
                    "the same, jemalloc, huge pages",
                    Peer,
                    new()
                    {
                        ["LD_PRELOAD"] = $"{loader} {avx512} {jemalloc}",
                        ["MALLOC_CONF"] = "thp:always,metadata_thp:auto,dirty_decay_ms:-1,muzzy_decay_ms:-1",
                    }
                )
            );
        Console.WriteLine(
            $"the LUT step, images made beforehand, {threads} thread(s), {rounds} rounds x 2 blocks of {s} s, medians"
        );
        foreach (string item in shapes)
        {
            string shape = item.Split(':')[0];
            int batch = int.Parse(item.Split(':')[1], CultureInfo.InvariantCulture);
            var rates = runners.ToDictionary(r => r.Name, _ => new List<double>());
            var shares = new List<double>();
            for (int round = 0; round < rounds; round++)
            for (int i = 0; i < runners.Count; i++)
            {
                var runner = runners[(i + round) % runners.Count];
                using var json = JsonDocument.Parse(Launch(runner, shape, batch));
                var root = json.RootElement;
                if (root.TryGetProperty("blocks", out var blocks))
                    rates[runner.Name].AddRange(blocks.EnumerateArray().Select(b => b.GetDouble()));
                else
                {
                    double[] own =
                    [
                        .. root.GetProperty("Blocks")
                            .EnumerateArray()
                            .Select(b => b.GetProperty("ImagesPerSecond").GetDouble()),
                    ];
                    double[] peak =
                    [
                        .. root.GetProperty("Blocks")
                            .EnumerateArray()
                            .Select(b => b.GetProperty("FmaFlops").GetDouble()),
                    ];
                    rates[runner.Name].AddRange(own);
                    shares.AddRange(own.Zip(peak, (a, b) => a * root.GetProperty("FlopsPerImage").GetDouble() / b));
                }
            }
            double ours = Median(rates["lutnative"]);
            Console.WriteLine(FormattableString.Invariant($"{shape}, batch {batch}"));
            foreach (var (name, values) in rates)
                Console.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"  {name, -31} {Median(values), 8:f2} images/s  [{values.Min():f2}, "
                            + $"{values.Max():f2}]  "
                            + $"{(name == "lutnative" ? $"{100 * Median(shares):f1} % of the FMA limit" : $"lutnative / this = {ours / Median(values):f2}")}"
                    )
                );
        }
    }

    private static string Launch(Runner runner, string shape, int batch)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string a in runner.Command(shape, batch))
            start.ArgumentList.Add(a);
        foreach (var (k, v) in runner.Environment)
            start.Environment[k] = v;
        using var child = Process.Start(start)!;
        var errors = child.StandardError.ReadToEndAsync();
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        if (child.ExitCode != 0)
            throw new InvalidOperationException($"{runner.Name} failed on {shape}: {errors.Result}");
        return output;
    }

    private static double Median(List<double> x)
    {
        double[] s = [.. x.Order()];
        return s.Length % 2 == 1 ? s[s.Length / 2] : 0.5 * (s[s.Length / 2 - 1] + s[s.Length / 2]);
    }
}
