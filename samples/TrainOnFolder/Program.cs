// Pre-training and evaluation on a folder of one's own: what hello@1 does, on other images.
using System.Diagnostics;
using LutNative.Samples;

if (args.Length != 2)
{
    Console.Error.WriteLine("usage: TrainOnFolder FOLDER OUTPUT   (FOLDER/train/CLASS/*.png, FOLDER/val/CLASS/*.png)");
    return 2;
}
(string folder, string output) = (args[0], args[1]);
if (!Directory.Exists(folder))
    Drawings.Make(folder);

// a protocol says how many images and classes it means, so that a wrong folder is refused before the first step
int classes = Directory.GetDirectories(Path.Combine(folder, "train")).Length;
string[] options =
[
    "data.name=image-folder",
    $"data.classes={classes}",
    $"data.train_images={Count("train")}",
    $"data.test_images={Count("val")}",
    "pretrain.epochs=12",
    "baselines.raw_pixels=false", // that baseline is for sets of gray images of one size
];
Console.WriteLine($"{Count("train")} images to learn from, {Count("val")} to try, {classes} classes");

var lut = new ProcessStartInfo("dotnet");
foreach (string word in (string[])[Path.Combine(AppContext.BaseDirectory, "lut.dll"), "run", "hello@1", "-q"])
    lut.ArgumentList.Add(word);
foreach (string word in (string[])["--data", folder, "--output", output, "--once"])
    lut.ArgumentList.Add(word);
foreach (string option in options)
{
    lut.ArgumentList.Add("--set");
    lut.ArgumentList.Add(option);
}
using var process = Process.Start(lut)!;
process.WaitForExit();
return process.ExitCode;

int Count(string split) => Directory.GetFiles(Path.Combine(folder, split), "*.png", SearchOption.AllDirectories).Length;
