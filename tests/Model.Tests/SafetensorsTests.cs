using System.Buffers.Binary;
using System.Text;
using LutNative.Model.Checkpoints;

namespace LutNative.Model.Tests;

/// <summary>The format survives a round trip, and every attack on it is refused with a reason.</summary>
public sealed class SafetensorsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lut-st-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string File(string header, int data, long? declared = null)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        byte[] file = new byte[8 + json.Length + data];
        BinaryPrimitives.WriteUInt64LittleEndian(file, (ulong)(declared ?? json.Length));
        json.CopyTo(file, 8);
        string path = Path.Combine(folder, Guid.NewGuid() + ".safetensors");
        System.IO.File.WriteAllBytes(path, file);
        return path;
    }

    [Fact]
    public void WhatIsWrittenIsRead()
    {
        string path = Path.Combine(folder, "a.safetensors");
        byte[] bits = [0, 0, 0xc0, 0x7f, 0x01, 0, 0x80, 0x7f, 0, 0, 0, 0x80]; // a NaN, a signalling NaN, -0
        using (var f = System.IO.File.Create(path))
            Safetensors.Write(
                f,
                [
                    new SafeTensor("x", "F32", [3], bits),
                    new SafeTensor("n", "I64", [1], BitConverter.GetBytes(7L)),
                    new SafeTensor("empty", "F32", [0, 5], Array.Empty<byte>()),
                ],
                new Dictionary<string, string> { ["k"] = "v \"quoted\" é" }
            );
        var (tensors, meta) = Safetensors.Read(path);
        Assert.Equal(bits, tensors["x"].Bytes.ToArray());
        Assert.Equal(7, tensors["n"].Longs[0]);
        Assert.Equal(0, tensors["empty"].Count);
        Assert.Equal("v \"quoted\" é", meta["k"]);
    }

    [Theory]
    [InlineData("{", 0, null, "JSON")]
    [InlineData("[]", 0, null, "JSON")]
    [InlineData("{}", 4, null, "cover 0 of 4")]
    [InlineData("{}", 0, 1L << 40, "declares a header")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4, null, "lies at")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, null, "has 8 bytes")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,0]}}", 0, null, "negative")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0, null, "")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, null, "gap")]
    [InlineData(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
        8,
        null,
        "overlap"
    )]
    [InlineData(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
        8,
        null,
        ""
    )]
    [InlineData("{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, null, "JSON")]
    public void AnAttackIsRefused(string header, int data, long? declared, string why)
    {
        var e = Assert.Throws<CheckpointException>(() => Safetensors.Read(File(header, data, declared)));
        Assert.Contains(why, e.Message);
        Assert.Contains("damaged", e.Message);
    }

    /// <summary>
    /// Somebody's quantised or counting tensors are no obstacle to those beside them; their values cannot be had.
    /// </summary>
    [Theory]
    [InlineData("Q4")]
    [InlineData("U64")]
    public void ATypeThatNobodyNeedsIsListed(string type)
    {
        string header =
            $"{{\"a\":{{\"dtype\":\"{type}\",\"shape\":[1],\"data_offsets\":[0,8]}},\"b\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}}}";
        using var file = Safetensors.Open(File(header, 12));
        Assert.Equal([0f], file.Tensors["b"].Floats());
        Assert.Equal(type, file.Tensors["a"].Type);
        Assert.Contains(
            "not a floating-point number",
            Assert.Throws<CheckpointException>(() => file.Tensors["a"].Floats()).Message
        );
    }

    /// <summary>A sparse file: three tensors, the last beyond the 32-bit offsets of bytes.</summary>
    [Fact]
    public void OffsetsHave64Bits()
    {
        long elements = 3L << 28;
        var entries = new[]
        {
            new SafetensorsEntry("a", "F32", [elements], 4 * elements),
            new SafetensorsEntry("b", "F32", [elements], 4 * elements),
            new SafetensorsEntry("c", "F32", [2], 8),
        };
        byte[] header = Safetensors.Header(entries, new Dictionary<string, string>());
        string path = Path.Combine(folder, "large.safetensors");
        using (var f = System.IO.File.Create(path))
        {
            f.Write(header);
            f.SetLength(header.Length + 8 * elements + 8);
            f.Position = header.Length + 8 * elements;
            f.Write(BitConverter.GetBytes(1.5f));
            f.Position = header.Length + 4 * elements - 4;
            f.Write(BitConverter.GetBytes(2.5f));
        }
        using var file = Safetensors.Open(path);
        Assert.Equal([1.5f, 0f], file.Tensors["c"].Floats());
        float[] last = [0f];
        file.Tensors["a"].Read(elements - 1, last);
        Assert.Equal(2.5f, last[0]);
        Assert.Throws<CheckpointException>(() => file.Tensors["c"].Read(2, last));
    }

    [Fact]
    public void EveryTruncationIsRefused()
    {
        string path = Path.Combine(folder, "t.safetensors");
        using (var f = System.IO.File.Create(path))
            Safetensors.Write(f, [new SafeTensor("x", "F32", [4], new byte[16])], new Dictionary<string, string>());
        byte[] whole = System.IO.File.ReadAllBytes(path);
        for (int n = 0; n < whole.Length; n++)
        {
            System.IO.File.WriteAllBytes(path, whole[..n]);
            Assert.Throws<CheckpointException>(() => Safetensors.Read(path));
        }
    }
}
