using LutNative.Harness.Surroundings;

namespace LutNative.Harness.Bench;

/// <summary>What to measure, as the command line says it; a fresh process gets the same words.</summary>
/// <param name="Slow">Share of a step's time to wait after it: a slowdown planted on purpose.</param>
internal sealed record BenchOrder(
    string Shape,
    string Stage,
    string Method = "",
    int Batch = 0,
    int Threads = 0,
    int MicroBatch = 0,
    int DataWorkers = 0,
    int Blocks = 3,
    double Seconds = 3.0,
    string Memory = "keep",
    string Device = "cpu",
    string Math = "exact",
    bool Premade = false,
    string? Data = null,
    double Slow = 0
)
{
    /// <summary>A GPU computes, or is emulated or planned.</summary>
    internal bool OnGpu =>
        Device.StartsWith("cuda", StringComparison.Ordinal)
        || Device.StartsWith(KernelTable.Planned, StringComparison.Ordinal);

    internal IEnumerable<string> Words()
    {
        string[] words =
        [
            "bench",
            Shape,
            "--stage",
            Stage,
            "--batch",
            Batch.Text(),
            "--threads",
            Threads.Text(),
            "--micro-batch",
            MicroBatch.Text(),
            "--data-workers",
            DataWorkers.Text(),
            "--blocks",
            Blocks.Text(),
            "--seconds",
            Seconds.Text("R"),
            "--memory",
            Memory,
            "--device",
            Device,
            "--math",
            Math,
            "--launches=0",
        ];
        return
        [
            .. words,
            .. Method.Length > 0 ? (string[])["--method", Method] : [],
            .. Premade ? (string[])["--premade"] : [],
            .. Data is not null ? (string[])["--data", Data] : [],
            .. Slow > 0 ? (string[])["--slow", Slow.Text("R")] : [],
        ];
    }
}
