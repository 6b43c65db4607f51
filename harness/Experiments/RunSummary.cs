using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Experiments;

/// <summary>What a finished run says of itself: its row, and the machine that it ran on.</summary>
internal static class RunSummary
{
    /// <summary>The last rows of a run, then its manifest: the folder is complete.</summary>
    internal static void Close(RunContext c, RunRequest request, RunPreparation at)
    {
        c.Recorder.Event("run_stop", "", null, "success");
        c.Recorder.Commit();
        var steps = c.Store.Read(Schema.Steps).Rows;
        var id = new RunId(c.Recorder.RunId);
        Table<EnvRow> env = new([.. Machine.Assemblies(id), .. Machine.Libraries(id), .. Machine.Kernels(id)]);
        var e = request.Exec;
        Table<RunRow> run = new();
        run.Add(
            new RunRow
            {
                RunId = id,
                Protocol = request.Protocol.Name,
                ProtocolModified = request.Protocol.Modified,
                Stages = string.Join(",", request.Planned),
                Status = "success",
                ExitCode = 0,
                StartedUtc = at.StartedUtc,
                EndedUtc = DateTime.UtcNow,
                WallNs = (long)Stopwatch.GetElapsedTime(at.Started).TotalNanoseconds,
                Seed = c.Spec.Seed,
                Contract = request.Protocol.Level ?? c.Spec.Contract,
                MathHash = request.Protocol.MathHash,
                DataHash = at.Identity.DataHash,
                ExecHash = Hash(
                    FormattableString.Invariant(
                        $"{request.Device.Name} {e.Threads} {e.MicroBatch} {e.DataWorkers} {e.Recompute}"
                    )
                ),
                CodeId = LutVersion.Text,
                LutVersion = LutVersion.Text,
                DeterminismLevel = request.Protocol.Level is null
                    ? "bitwise-cross-device"
                    : "bitwise-same-device-and-libraries",
                Device = request.Device.Name,
                Threads = e.Threads,
                MicroBatch = e.MicroBatch,
                DataWorkers = e.DataWorkers,
                ResumeCount = c.Resumes,
                NSteps = steps.Count,
                ImagesSeen = steps.GroupBy(r => r.Stage).Sum(g => g.Max(r => r.ImagesSeen)),
                ConfigToml = Encoding.UTF8.GetBytes(request.Protocol.Toml),
                Argv = Encoding.UTF8.GetBytes(string.Join(' ', request.Argv)),
                EnvHash = Hash(string.Join('\n', env.Rows.Select(r => $"{r.Name} {r.Version} {r.Sha256}"))),
                HwKey = Machine.HardwareKey(request.Device),
                GitSha = Machine.GitSha,
                Trigger = Machine.Trigger,
                SelfCheck = request.SelfCheck ? "pass" : "not_run",
                FinalStateDigest = steps.LastOrDefault(r => r.StateDigest is not null)?.StateDigest,
                WeightsSha256 = at.Identity.WeightsSha256,
            }
        );
        Table<HostRow> hosts = new([Machine.Host(id)]);
        Table<DeviceRow> devices = new([Machine.DeviceRowOf(id, request.Device)]);
        c.Store.Commit([run, hosts, devices, env], c.Recorder.Metadata);
        c.Folder.Close();
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
