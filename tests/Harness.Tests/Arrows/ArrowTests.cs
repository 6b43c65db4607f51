namespace LutNative.Harness.Tests.Arrows;

/// <summary>
/// The rooms of the harness and the folders of the model have an order, and each uses only what is below it: a reader
/// who begins at the bottom never meets a name that comes later. Held by the compiler's symbols, not by usings.
/// </summary>
public sealed class ArrowTests
{
    private static readonly TypeReferences Harness = new("harness", "lut");
    private static readonly TypeReferences Model = new("model", "LutNative.Model");

    /// <summary>Lowest first; rooms in one row do not know each other.</summary>
    private static readonly string[][] Rooms =
    [
        ["Errors"],
        ["Surroundings"],
        ["Protocol"],
        ["Images"],
        ["Evaluation"],
        ["Training"],
        ["Recording"],
        ["Experiments"],
        ["Diagnosis", "Bench"],
        ["Nightly", "Reports"],
        ["Commands"],
        [""],
    ];

    private static readonly string[][] Folders =
    [
        ["Numerics"],
        ["Threads"],
        ["Tensors"],
        ["Devices", "Ops"],
        ["Optim", "Checkpoints"],
        ["Layers"],
        ["Networks"],
        ["Diagnosis"],
    ];

    /// <summary>
    /// The one that stays: an operation's entry checks shapes and asks the device, which knows the operation's file for
    /// it (a double dispatch; see Device).
    /// </summary>
    private static readonly string[] DoubleDispatch = ["Devices -> Ops", "Ops -> Devices"];

    [Fact]
    public void RoomsOfTheHarnessUseOnlyWhatIsBelowThem() => Assert.Empty(Upwards(Harness.All(), Rooms));

    [Fact]
    public void FoldersOfTheModelUseOnlyWhatIsBelowThem()
    {
        var upwards = Upwards(Model.All(), Folders);
        Assert.DoesNotContain(upwards, r => !DoubleDispatch.Contains(r.Arrow));
        Assert.Equal(DoubleDispatch.Order(), upwards.Select(r => r.Arrow).Distinct().Order());
    }

    /// <summary>Every folder of sources has its place, and every place a folder.</summary>
    [Theory]
    [InlineData("harness")]
    [InlineData("model")]
    public void EveryFolderHasItsPlace(string project)
    {
        string[][] order = project == "harness" ? Rooms : Folders;
        string root = Path.Combine(Repository.Root, project);
        var there = Directory
            .GetDirectories(root)
            .Where(d => Directory.EnumerateFiles(d, "*.cs", SearchOption.AllDirectories).Any())
            .Select(d => Path.GetFileName(d))
            .Where(d => d is not ("bin" or "obj"));
        Assert.Equal(there.Order(), order.SelectMany(r => r).Where(r => r.Length > 0).Order());
    }

    /// <summary>Each way in which one file can lean on another is seen, without a using among them.</summary>
    [Theory]
    [InlineData("Errors/Planted.cs", "class P { object o = typeof(LutNative.Harness.Commands.Verbs); }", "Verbs")]
    [InlineData("Training/Planted.cs", "class P { LutNative.Harness.Recording.Recorder? r; }", "Recorder")]
    [InlineData(
        "Protocol/Planted.cs",
        "class P { long n = LutNative.Harness.Images.DataSets.Load(null!, \"\").Train.Count; }",
        "DataSets"
    )]
    [InlineData("Images/Planted.cs", "using X = LutNative.Harness.Training.Trainer; class P { X? t; }", "Trainer")]
    [InlineData(
        "Evaluation/Planted.cs",
        "class P { LutNative.Harness.Training.CheckpointInterval c = new(null); }",
        "CheckpointInterval"
    )]
    [InlineData(
        "Bench/Planted.cs",
        "class P { void F() => LutNative.Harness.Diagnosis.Trace.Run(null!, null!, null!, null!, \"\", null!); }",
        "Trace"
    )]
    public void AnArrowThatIsPlantedIsFound(string file, string text, string type) =>
        Assert.Contains(Upwards(Harness.OfPlanted(file, text), Rooms), r => r.From == file && r.Type == type);

    private static List<TypeReference> Upwards(IEnumerable<TypeReference> references, string[][] order)
    {
        int Height(string room) => Array.FindIndex(order, row => row.Contains(room));
        return [.. references.Where(r => r.FromRoom != r.ToRoom && Height(r.ToRoom) >= Height(r.FromRoom)).Distinct()];
    }
}
