namespace LutNative.Harness.Protocol;

/// <summary>The data sets that a protocol may name.</summary>
public static class DataSetNames
{
    public const string Fashion = "fashion-mnist";
    public const string ImageNet = "imagenet-1k";

    /// <summary>Any other set of the user's, with its own counts.</summary>
    public const string Folder = "image-folder";

    public static IReadOnlyList<string> All { get; } = [Fashion, ImageNet, Folder];
}
