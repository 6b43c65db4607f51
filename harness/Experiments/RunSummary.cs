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
        var steps = c.Store.Read(Schema.Steps);
        Table run = new(Schema.Run);
        Table hosts = new(Schema.Hosts);
        Table env = new(Schema.Env);
        Table devices = new(Schema.Devices);
        Machine.AddHost(hosts, c.Recorder.RunId);
        Machine.AddDevice(devices, c.Recorder.RunId, request.Device);
        Machine.AddAssemblies(env, c.Recorder.RunId);
        Machine.AddLibraries(env, c.Recorder.RunId);
        Machine.AddKernels(env, c.Recorder.RunId);
        var e = request.Exec;
        long images = steps
            .Rows.GroupBy(r => (string)r[1]!)
            .Aggregate(0L, (sum, g) => sum + g.Max(r => (long)r[Schema.Steps.IndexOf("images_seen")]!));
        run.Add(
            c.Recorder.RunId,
            request.Protocol.Name,
            request.Protocol.Modified,
            string.Join(",", request.Planned),
            "success",
            0,
            at.StartedUtc,
            DateTime.UtcNow,
            (long)Stopwatch.GetElapsedTime(at.Started).TotalNanoseconds,
            c.Spec.Seed,
            request.Protocol.Level ?? c.Spec.Contract,
            request.Protocol.MathHash,
            at.Identity.DataHash,
            Hash(
                FormattableString.Invariant(
                    $"{request.Device.Name} {e.Threads} {e.MicroBatch} {e.DataWorkers} {e.Recompute}"
                )
            ),
            LutVersion.Text,
            LutVersion.Text,
            request.Protocol.Level is null ? "bitwise-cross-device" : "bitwise-same-device-and-libraries",
            request.Device.Name,
            e.Threads,
            e.MicroBatch,
            e.DataWorkers,
            c.Resumes,
            (long)steps.Rows.Count,
            images,
            Encoding.UTF8.GetBytes(request.Protocol.Toml),
            Encoding.UTF8.GetBytes(string.Join(' ', request.Argv)),
            Hash(string.Join('\n', env.Rows.Select(r => $"{r[2]} {r[3]} {r[4]}"))),
            Machine.HardwareKey(request.Device),
            Machine.GitSha,
            Machine.Trigger,
            request.SelfCheck ? "pass" : "not_run",
            steps.Rows.Select(r => (byte[]?)r[Schema.Steps.IndexOf("state_digest")]).LastOrDefault(d => d is not null),
            at.Identity.WeightsSha256
        );
        c.Store.Commit([run, hosts, devices, env], c.Recorder.Metadata);
        c.Folder.Close();
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
