using LutNative.Harness.Errors;
using LutNative.Harness.Protocol;

namespace LutNative.Harness.Images;

/// <summary>
/// Fashion-MNIST (Xiao et al. 2017, MIT licence). Inside the repository: the first 10,000 training images and all
/// 10,000 test images; the 60,000 come from a folder of the original IDX files (--data). Both are checked against known
/// SHA-256 sums.
/// </summary>
public static class FashionMnist
{
    // SHA-256 of the decompressed image file followed by the label file
    private const string Train10k = "80e0efabd3ff5de0323b3eaab9a2cbd1f64455b7f90e8ce5de40643ca07d3aad";
    private const string Train60k = "d9ef4273af5c2e360155dad0c06bd939447bf37a6620db007d69fc79e4732045";
    private const string Test = "30214f3fe91405cb8ea60b11ecf0914a65dd6a6ca8e13c13a62eb434f2d9fe56";

    /// <summary>The folder of the embedded subset, beside the program.</summary>
    public static string Embedded => Path.Combine(AppContext.BaseDirectory, "data-sets", "fashion-mnist");

    // what the IDX files of 60,000 images hold: a file that unpacks to more is not this set
    private const int MostBytes = 16 + 60_000 * 28 * 28;

    public static (GrayImages Train, GrayImages Test) Load(DataSpec spec, string? folder)
    {
        string from = Place(folder);
        bool whole = spec.TrainImages > 10_000;
        if (whole && folder is null)
            throw DataSetErrors.OnlyTenThousandInside(spec.TrainImages);
        bool subset = File.Exists(Path.Combine(from, "train10k-images-idx3-ubyte.gz")) && !whole;
        var train = Read(from, subset ? "train10k" : "train", subset ? Train10k : Train60k);
        return (First(train, spec.TrainImages), LoadTest(spec, folder));
    }

    /// <summary>The test images alone: what evaluating weights needs.</summary>
    public static GrayImages LoadTest(DataSpec spec, string? folder) =>
        First(Read(Place(folder), "t10k", Test), spec.TestImages);

    private static string Place(string? folder) =>
        folder is null || Directory.Exists(folder) ? folder ?? Embedded : throw DataSetErrors.NoIdxFolder(folder);

    private static GrayImages Read(string folder, string name, string sha)
    {
        var set = Idx.Read(
            Path.Combine(folder, name + "-images-idx3-ubyte"),
            Path.Combine(folder, name + "-labels-idx1-ubyte"),
            MostBytes
        );
        if (set.Sha256 != sha)
            throw DataSetErrors.NotFashionMnist(name, folder, set.Sha256, sha);
        return set;
    }

    private static GrayImages First(GrayImages set, int count)
    {
        if (count > set.Count)
            throw DataSetErrors.TooFewInFile(count, set.Count);
        return set.First(count);
    }
}
