using System.Runtime.InteropServices;
using LutNative.Model.Checkpoints;

namespace LutNative.Model.Tests;

/// <summary>A folder for files of weights as other people write them, and how one is refused.</summary>
public abstract class WeightFiles : IDisposable
{
    protected const string Anchor = "patch_embed.proj.weight";
    protected static string Trials { get; } = Path.Combine(Repository.Root, "tests", "fixtures", "trials");
    protected string Folder { get; } = Directory.CreateTempSubdirectory("lut-ws-").FullName;

    public void Dispose()
    {
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    protected static TorchArchive.Tensor Floats(params float[] values) =>
        new("FloatStorage", [values.Length], MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    protected string Save(object root, string name = "x.pth")
    {
        string path = Path.Combine(Folder, name);
        File.WriteAllBytes(path, TorchArchive.Of(root));
        return path;
    }

    protected static string Refused(string path, string which = "") =>
        Assert.Throws<CheckpointException>(() => WeightSet.Open(path, which).Dispose()).Message;
}
