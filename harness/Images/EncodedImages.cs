using System.Security.Cryptography;
using LutNative.Harness.Errors;

namespace LutNative.Harness.Images;

/// <summary>Where an encoded image lies: a file, or a place inside a shard.</summary>
/// <param name="Place">Path under the set's folder, with / between names.</param>
/// <param name="Offset">Bytes into a tar shard, row of a Parquet shard, 0 for a file of its own.</param>
/// <param name="Length">Encoded bytes.</param>
public readonly record struct ImagePlace(string Place, long Offset, int Length, int Label);

/// <summary>A set of JPEG and PNG images on disk, in whatever container: what a container must be able to do.</summary>
public interface IContainer
{
    /// <summary>"image folder", "tar shards", "parquet shards".</summary>
    string Kind { get; }

    /// <summary>Every image in its order; nothing is decoded.</summary>
    IReadOnlyList<ImagePlace> Places { get; }

    /// <summary>Names of the classes by label, where the container has them.</summary>
    IReadOnlyList<string>? Classes { get; }

    /// <summary>What lies there and is not used, a line each: nothing is skipped without a word.</summary>
    IReadOnlyList<string> Notes { get; }

    /// <summary>Whether reading one after the other, on one thread, is much cheaper than anything else.</summary>
    bool InOrder { get; }

    /// <summary>The encoded bytes; any thread may ask.</summary>
    byte[] Read(in ImagePlace place);
}

/// <summary>
/// An indexed set: every image is checked against its SHA-256 whenever it is read, so a run used what its data_hash
/// says.
/// </summary>
public sealed class EncodedImages : ImageSource
{
    private readonly IContainer container;
    private readonly ImageIndex index;

    internal EncodedImages(IContainer container, ImageIndex index)
    {
        this.container = container;
        this.index = index;
        Labels = [.. index.Places.Select(p => p.Label)];
    }

    public override int[] Labels { get; }

    /// <summary>Names of the classes by label, where the container has them.</summary>
    public IReadOnlyList<string>? Classes => container.Classes;

    /// <summary>Threads that should read at once when all images are wanted in order.</summary>
    public int Readers => container.InOrder ? 1 : Environment.ProcessorCount;

    public override string Sha256 => index.DataHash;

    public override Picture Read(int i) => Decoder.Decode(Bytes(i), NameOf(i));

    /// <summary>The file as it is stored.</summary>
    public byte[] Bytes(int i)
    {
        var place = index.Places[i];
        byte[] bytes;
        try
        {
            bytes = container.Read(place);
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw new ImageException(NameOf(i), $"it cannot be read ({e.Message})");
        }
        if (!SHA256.HashData(bytes).AsSpan().SequenceEqual(index.Sha(i)))
            throw new ImageException(
                NameOf(i),
                "its bytes are not those that were indexed; `lut data check FOLDER` lists every such image"
            );
        return bytes;
    }

    /// <summary>The image's name as the set has it; a message shows it escaped.</summary>
    public string NameOf(int i) =>
        index.Places[i] is var p && container is ImageFolder
            ? p.Place
            : FormattableString.Invariant($"{p.Place}@{p.Offset}");
}
