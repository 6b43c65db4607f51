using System.Text.Json;
using LutNative.Harness.Images;
using LutNative.Model.Checkpoints;

namespace LutNative.Harness.Tests;

/// <summary>Every transform and every decoder equals Pillow and torchvision on every pixel.</summary>
public class ImageGoldenTests
{
    public static TheoryData<string, int, string> Cases()
    {
        var data = new TheoryData<string, int, string>();
        foreach (string file in Files())
        {
            var cases = JsonDocument.Parse(Safetensors.Read(file).Metadata["cases"]).RootElement;
            for (int i = 0; i < cases.GetArrayLength(); i++)
                data.Add(file, i, cases[i].GetRawText());
        }
        return data;
    }

    private static IEnumerable<string> Files()
    {
        var folders = new List<string> { Path.Combine(Repository.Root, "tests", "fixtures", "golden", "images") };
        if (Environment.GetEnvironmentVariable("LUT_GOLDEN_DIR") is { Length: > 0 } own)
            folders.AddRange(new[] { own, Path.Combine(own, "images") }.Where(Directory.Exists));
        return folders
            .SelectMany(f => Directory.GetFiles(f, "*.safetensors"))
            .Where(f => Safetensors.Read(f).Metadata.ContainsKey("cases"))
            .Order(StringComparer.Ordinal);
    }

    public static TheoryData<string> Encoded() =>
        [
            .. Directory
                .GetFiles(Path.Combine(Repository.Root, "tests", "fixtures", "golden", "images", "jpeg"))
                .Select(f => Path.GetFileName(f))
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>
    /// JPEG (4:2:0, 4:2:2, 4:4:4, progressive, gray, CMYK) and PNG (RGB, RGBA, palette) as Pillow decodes them.
    /// </summary>
    [Theory]
    [MemberData(nameof(Encoded))]
    public void DecodedPixelsAreEqual(string file)
    {
        string folder = Path.Combine(Repository.Root, "tests", "fixtures", "golden", "images");
        var expected = Safetensors.Read(Path.Combine(folder, "decode.safetensors")).Tensors[file];
        var p = Decoder.Decode(File.ReadAllBytes(Path.Combine(folder, "jpeg", file)), file);
        Assert.Equal(((long)p.Height, (long)p.Width), (expected.Shape[0], expected.Shape[1]));
        Assert.True(
            p.Data.AsSpan().SequenceEqual(expected.Bytes.Span),
            $"{file}: {p.Data.Where((v, i) => v != expected.Bytes.Span[i]).Count()} of {p.Data.Length} bytes differ"
        );
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void PixelsAreEqual(string file, int index, string parameters)
    {
        var tensors = Safetensors.Read(file).Tensors;
        SafeTensor input = tensors[$"{index:d3}/in"];
        SafeTensor expected = tensors[$"{index:d3}/out"];
        var p = Picture.FromRgb((int)input.Shape[1], (int)input.Shape[0], input.Bytes.Span);
        var c = JsonDocument.Parse(parameters).RootElement;
        int Int(string key) => c.GetProperty(key).GetInt32();
        double Number(string key) => c.GetProperty(key).GetDouble();
        string op = c.GetProperty("op").GetString()!;
        var filter = op.EndsWith("bilinear", StringComparison.Ordinal)
            ? ResampleFilter.Bilinear
            : ResampleFilter.Bicubic;
        switch (op)
        {
            case "resize_shorter_bicubic" or "resize_shorter_bilinear":
                p = Resampling.ResizeShorter(p, Int("size"), filter);
                break;
            case "crop_resize_bicubic" or "crop_resize_bilinear":
                p = Resampling.Resize(
                    p.Crop(Int("top"), Int("left"), Int("height"), Int("width")),
                    Int("size"),
                    Int("size"),
                    filter
                );
                break;
            case "center_crop":
                p = p.CenterCrop(Int("size"));
                break;
            case "pad_reflect_crop":
                p = p.PadReflectCrop(Int("pad"), Int("top"), Int("left"), Int("size"));
                break;
            case "hflip":
                p.FlipHorizontally();
                break;
            case "brightness":
                ColorOps.Brightness(p, (float)Number("factor"));
                break;
            case "contrast":
                ColorOps.Contrast(p, (float)Number("factor"));
                break;
            case "saturation":
                ColorOps.Saturation(p, (float)Number("factor"));
                break;
            case "hue":
                ColorOps.Hue(p, Number("factor"));
                break;
            case "grayscale3":
                ColorOps.Grayscale(p);
                break;
            case "solarize":
                ColorOps.Solarize(p, Int("threshold"));
                break;
            case "gaussian_blur":
                ColorOps.GaussianBlur(p, (float)Number("radius"));
                break;
            case "randaugment":
                p = RandAugment.Apply(
                    p,
                    Enum.Parse<RandAugmentOp>(c.GetProperty("name").GetString()!),
                    Number("magnitude"),
                    c.GetProperty("negate").GetBoolean(),
                    c.GetProperty("resample").GetString() == "bilinear"
                        ? ResampleFilter.Bilinear
                        : ResampleFilter.Bicubic,
                    (124, 116, 104)
                );
                break;
            default:
                Assert.Fail($"{file} case {index}: the operation {op} is unknown to this test");
                break;
        }
        Assert.Equal((expected.Shape[1], expected.Shape[0]), (p.Width, p.Height));
        int wrong = 0;
        int first = -1;
        for (int i = 0; i < p.Data.Length; i++)
            if (p.Data[i] != expected.Bytes.Span[i])
            {
                if (first < 0)
                    first = i;
                wrong++;
            }
        Assert.True(
            wrong == 0,
            $"{parameters}: {wrong} of {p.Data.Length} bytes differ, first at row {first / 3 / p.Width}, "
                + $"column {first / 3 % p.Width}, channel {first % 3}: {(first < 0 ? 0 : p.Data[first])}, "
                + $"expected {(first < 0 ? 0 : expected.Bytes.Span[first])}"
        );
    }
}
