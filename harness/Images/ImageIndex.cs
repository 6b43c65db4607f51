using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LutNative.Harness.Errors;
using LutNative.Results;

namespace LutNative.Harness.Images;

/// <summary>
/// The index of a set: place, length, label and SHA-256 of every image, in order, as text. data_hash is the SHA-256 of
/// the lines "sha256 label": the same images in the same order have it, whatever container they lie in. Made once (`lut
/// data index`) and kept where <see cref="IndexPlaces"/> says.
/// </summary>
public sealed class ImageIndex
{
    private const string Header = "lut-index-1";
    private readonly byte[] hashes;

    private ImageIndex(IReadOnlyList<ImagePlace> places, byte[] hashes)
    {
        Places = places;
        this.hashes = hashes;
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < places.Count; i++)
            all.AppendData(
                Encoding.ASCII.GetBytes(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{Convert.ToHexStringLower(Sha(i))} {places[i].Label}\n"
                    )
                )
            );
        DataHash = Convert.ToHexStringLower(all.GetHashAndReset());
    }

    public IReadOnlyList<ImagePlace> Places { get; }
    public string DataHash { get; }

    public ReadOnlySpan<byte> Sha(int i) => hashes.AsSpan(32 * i, 32);

    /// <summary>Reads every image once.</summary>
    /// <param name="each">Called after every image, from several threads.</param>
    /// <exception cref="LutError">An image cannot be read.</exception>
    public static ImageIndex Build(IContainer container, Action? each = null)
    {
        var places = container.Places;
        byte[] hashes = new byte[32 * places.Count];
        try
        {
            Parallel.For(
                0,
                places.Count,
                new ParallelOptions { MaxDegreeOfParallelism = container.InOrder ? 1 : Environment.ProcessorCount },
                i =>
                {
                    SHA256.HashData(container.Read(places[i]), hashes.AsSpan(32 * i, 32));
                    each?.Invoke();
                }
            );
        }
        catch (AggregateException e) when (e.InnerException is IOException or UnauthorizedAccessException or LutError)
        {
            throw e.InnerException as LutError
                ?? DataSetErrors.UnreadableImage(container.Kind, e.InnerException!.Message);
        }
        return new ImageIndex(places, hashes);
    }

    /// <summary>Written whole or not at all. A name stands as <see cref="Shown.Name"/> shows it: one line an image,
    /// whatever it is called.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(string path)
    {
        using var file = WholeFile.Begin(path);
        using (var to = new StreamWriter(file.Stream, new UTF8Encoding(false), leaveOpen: true))
        {
            to.Write(string.Create(CultureInfo.InvariantCulture, $"{Header}\t{Places.Count}\t{DataHash}\n"));
            for (int i = 0; i < Places.Count; i++)
            {
                var p = Places[i];
                to.Write(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{Convert.ToHexStringLower(Sha(i))}\t{p.Label}\t{p.Length}\t{p.Offset}\t{Shown.Name(p.Place)}\n"
                    )
                );
            }
        }
        file.Keep();
    }

    /// <summary>An index that was written for just these places, or why it is of others.</summary>
    /// <exception cref="LutError">
    /// The file is there and cannot be read: that says nothing about what it holds.
    /// </exception>
    public static ImageIndex? Read(string path, IReadOnlyList<ImagePlace> places, out string why)
    {
        why = "";
        try
        {
            using var from = new StreamReader(FileKind.Open(path), new UTF8Encoding(false));
            string[] head = (from.ReadLine() ?? "").Split('\t');
            if (head.Length != 3 || head[0] != Header)
                why = "it is no index of this version";
            else if (head[1] != places.Count.ToString(CultureInfo.InvariantCulture))
                why = string.Create(
                    CultureInfo.InvariantCulture,
                    $"it has {Shown.Name(head[1])} images, the set {places.Count}"
                );
            if (why.Length > 0)
                return null;
            byte[] hashes = new byte[32 * places.Count];
            for (int i = 0; i < places.Count; i++)
            {
                string[] f = (from.ReadLine() ?? "").Split('\t', 5);
                if (f.Length != 5 || f[0].Length != 64 || !Says(f, places[i]))
                {
                    var p = places[i];
                    why = string.Create(
                        CultureInfo.InvariantCulture,
                        $"line {i + 2} is not {Shown.Name(p.Place)}, label {p.Label}, {p.Length} bytes"
                    );
                    return null;
                }
                Convert.FromHexString(f[0]).CopyTo(hashes, 32 * i);
            }
            var index = new ImageIndex(places, hashes);
            if (index.DataHash == head[2])
                return index;
            why = "its own hash does not match: it was changed or damaged";
            return null;
        }
        catch (FormatException e)
        {
            why = e.Message;
            return null;
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw DataSetErrors.UnreadableIndex(path, e.Message);
        }
    }

    private static bool Says(string[] f, in ImagePlace p) =>
        f[1] == p.Label.ToString(CultureInfo.InvariantCulture)
        && f[2] == p.Length.ToString(CultureInfo.InvariantCulture)
        && f[3] == p.Offset.ToString(CultureInfo.InvariantCulture)
        && f[4] == Shown.Name(p.Place);
}
