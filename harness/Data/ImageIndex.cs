using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace LutNative.Harness.Data;

/// <summary>
/// The index of a set: place, length, label and SHA-256 of every image, in order, as text. data_hash is the SHA-256 of the lines "sha256 label": the same images in
/// the same order have it, whatever container they lie in. Made once (`lut data index`) and kept beside the data where that can be written.
/// </summary>
public sealed class ImageIndex
{
    private const string Header = "lut-index-1";
    private readonly byte[] hashes;

    private ImageIndex(IReadOnlyList<ImagePlace> places, byte[] hashes)
    {
        (Places, this.hashes) = (places, hashes);
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < places.Count; i++) all.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(Sha(i))} {places[i].Label}\n")));
        DataHash = Convert.ToHexStringLower(all.GetHashAndReset());
    }

    public IReadOnlyList<ImagePlace> Places { get; }
    public string DataHash { get; }

    public ReadOnlySpan<byte> Sha(int i) => hashes.AsSpan(32 * i, 32);

    /// <summary>Reads every image once.</summary>
    /// <param name="progress">Called with the number of images done, now and then, from several threads.</param>
    public static ImageIndex Build(IContainer container, Action<int>? progress = null)
    {
        var places = container.Places;
        byte[] hashes = new byte[32 * places.Count];
        int done = 0;
        try
        {
            Parallel.For(0, places.Count, new ParallelOptions { MaxDegreeOfParallelism = container.InOrder ? 1 : Environment.ProcessorCount }, i =>
            {
                SHA256.HashData(container.Read(places[i]), hashes.AsSpan(32 * i, 32));
                if (Interlocked.Increment(ref done) is var n && n % 1000 == 0) progress?.Invoke(n);
            });
        }
        catch (AggregateException e) when (e.InnerException is IOException or UnauthorizedAccessException or LutError)
        {
            throw e.InnerException as LutError ?? new LutError(Exit.Data, 10, "an image cannot be read", container.Kind, e.InnerException!.Message, "check the disk and the permissions");
        }
        return new ImageIndex(places, hashes);
    }

    /// <summary>Written whole or not at all.</summary>
    public void Write(string path)
    {
        string temporary = path + ".tmp";
        using (var to = new StreamWriter(temporary, append: false, new UTF8Encoding(false)))
        {
            to.Write(string.Create(CultureInfo.InvariantCulture, $"{Header}\t{Places.Count}\t{DataHash}\n"));
            for (int i = 0; i < Places.Count; i++)
            {
                var p = Places[i];
                to.Write(string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(Sha(i))}\t{p.Label}\t{p.Length}\t{p.Offset}\t{p.Place}\n"));
            }
        }
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>An index that was written for just these places, or why it cannot be used.</summary>
    public static ImageIndex? Read(string path, IReadOnlyList<ImagePlace> places, out string why)
    {
        why = "";
        try
        {
            using var from = new StreamReader(path);
            string[] head = (from.ReadLine() ?? "").Split('\t');
            if (head.Length != 3 || head[0] != Header) why = "it is no index of this version";
            else if (head[1] != places.Count.ToString(CultureInfo.InvariantCulture)) why = string.Create(CultureInfo.InvariantCulture, $"it has {head[1]} images, the set {places.Count}");
            if (why.Length > 0) return null;
            byte[] hashes = new byte[32 * places.Count];
            for (int i = 0; i < places.Count; i++)
            {
                string[] f = (from.ReadLine() ?? "").Split('\t', 5);
                var p = places[i];
                if (f.Length != 5 || f[0].Length != 64 || f[1] != p.Label.ToString(CultureInfo.InvariantCulture) || f[2] != p.Length.ToString(CultureInfo.InvariantCulture) || f[3] != p.Offset.ToString(CultureInfo.InvariantCulture) || f[4] != p.Place)
                {
                    why = string.Create(CultureInfo.InvariantCulture, $"line {i + 2} is not {p.Place}, label {p.Label}, {p.Length} bytes");
                    return null;
                }
                Convert.FromHexString(f[0]).CopyTo(hashes, 32 * i);
            }
            var index = new ImageIndex(places, hashes);
            if (index.DataHash == head[2]) return index;
            why = "its own hash does not match: it was changed or damaged";
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            why = e.Message;
            return null;
        }
    }
}
