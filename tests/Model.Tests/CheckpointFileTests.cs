using LutNative.Model.Checkpoints;
using LutNative.Model.Devices;
using LutNative.Model.Tensors;

namespace LutNative.Model.Tests;

/// <summary>A state goes to disk and back in pieces of any size, and whatever changed on the way is named.</summary>
public sealed class CheckpointFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lut-ck-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static StateLayout Layout()
    {
        var layout = new StateLayout();
        layout.Add("small", [3]);
        layout.Add("wide", [7, 11, 13]);
        layout.Add("fixed", [1, 5], EntryKind.Fixed);
        layout.AddCounter("seen");
        return layout;
    }

    private static State Filled(Arena arena, int seed)
    {
        var state = new State(Layout(), arena);
        foreach (var e in state.Layout.Entries)
            state.Write(e, [.. Enumerable.Range(0, (int)e.Count).Select(i => (i + seed) * 0.37f)]);
        state.Counters[0] = seed + (5L << 40);
        return state;
    }

    private string Save(State student, State moment, int staging)
    {
        string path = Path.Combine(folder, FormattableString.Invariant($"{staging}.safetensors"));
        using var to = File.Create(path);
        string sha256 = CheckpointFile.Write(
            to,
            [("student", student), ("exp_avg", moment)],
            new Dictionary<string, string> { ["lut.step"] = "3" },
            staging
        );
        File.WriteAllText(path + ".sha256", $"{sha256}  {Path.GetFileName(path)}\n");
        return path;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1001)]
    [InlineData(CheckpointFile.Staging)]
    public void ATensorMayTakeManyPieces(int staging)
    {
        using var arena = new Arena();
        State student = Filled(arena, 1);
        State moment = Filled(arena, 2);
        State a = new(Layout(), arena);
        State b = new(Layout(), arena);
        string path = Save(student, moment, staging);
        Assert.Equal(File.ReadAllBytes(Save(student, moment, CheckpointFile.Staging)), File.ReadAllBytes(path));
        using var file = CheckpointFile.Open(path, staging);
        Assert.Equal("3", file.Metadata["lut.step"]);
        Assert.StartsWith(file.Sha256, File.ReadAllText(path + ".sha256"));
        file.Load([("student", a), ("exp_avg", b)], staging);
        foreach (var e in a.Layout.Entries)
        {
            Assert.Equal(student.DigestOf(e), a.DigestOf(a.Layout[e.Name]));
            if (e.Kind == EntryKind.Parameter)
                Assert.Equal(moment.DigestOf(e), b.DigestOf(b.Layout[e.Name]));
        }
        Assert.Equal(student.Counters[0], a.Counters[0]);
    }

    /// <summary>The same through memory that is not the host's.</summary>
    [Fact]
    public void ADevicesMemoryIsReadAndWrittenInPieces()
    {
        using var device = new CudaDevice(new Interop.Emulator.EmulatedDriver(), 0, "cuda:emulated");
        using var there = device.NewArena();
        using var here = new Arena();
        State student = Filled(there, 1);
        State moment = Filled(there, 2);
        State back = new(Layout(), there);
        State host = new(Layout(), here);
        string path = Save(student, moment, 16);
        foreach (var state in new[] { back, host })
        {
            using var file = CheckpointFile.Open(path);
            file.Load([("student", state)], 32);
            foreach (var e in state.Layout.Entries)
                Assert.Equal(student.DigestOf(student.Layout[e.Name]), state.DigestOf(e));
        }
    }

    [Fact]
    public void EveryFlippedBitIsFound()
    {
        using var arena = new Arena();
        string path = Save(Filled(arena, 1), Filled(arena, 2), 64);
        byte[] whole = File.ReadAllBytes(path);
        int header = 8 + (int)BitConverter.ToInt64(whole);
        for (int at = header; at < whole.Length; at += 97)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= 4;
            File.WriteAllBytes(path, damaged);
            Assert.Contains("is damaged", Assert.Throws<CheckpointException>(() => CheckpointFile.Open(path)).Message);
        }
        // an edited header escapes the tensors' digests, not the file's
        File.WriteAllBytes(
            path,
            [.. whole.Select((b, i) => i < header && b == (byte)'3' && whole[i - 1] == (byte)'"' ? (byte)'4' : b)]
        );
        Assert.Contains("SHA-256", Assert.Throws<CheckpointException>(() => CheckpointFile.Open(path)).Message);
    }

    /// <summary>A file that is there and cannot be opened is not called damaged.</summary>
    [Fact]
    public void AFailureOfTheSystemIsNoDamage()
    {
        Assert.Throws<UnreadableCheckpointException>(() => CheckpointFile.Open(folder));
        Assert.Throws<UnreadableCheckpointException>(() =>
            CheckpointFile.Open(Path.Combine(folder, "none.safetensors"))
        );
    }
}
