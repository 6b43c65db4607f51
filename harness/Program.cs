using System.Diagnostics;
using LutNative.Harness.Data;
using LutNative.Harness.Evaluation;
using LutNative.Harness.Protocol;
using LutNative.Harness.Training;
using LutNative.Model.Devices;
using LutNative.Model.Tensors;

var p = ProtocolReader.Load(args[0], args.Skip(1).Where(a => a.Contains('='))).Spec;
var (train, test) = FashionMnist.Load(p.Data, null);
var device = Cpu.Best();
using var pool = new Pool(2);
var exec = new ExecOptions(2, 0, 0, TimeSpan.FromMinutes(1));
Views tv = new(p, train), ev = new(p, test);
var sw = Stopwatch.StartNew();
using var t = new PretrainTrainer(p, tv, device, pool, exec);
for (long s = 0; s < t.Steps; s++)
{
    var r = t.Step(s);
    if ((s + 1) % t.StepsPerEpoch == 0 && ((s + 1) / t.StepsPerEpoch) % 5 == 0) Console.WriteLine($"{sw.Elapsed.TotalSeconds:f1}s step {s} lr {r.Lr:g3} loss {r.Loss:f4} recon {r.Recon:f4} bc {r.Context:f4} norm {r.GradNorm:f3} img/s {(s + 1) * t.Batch / sw.Elapsed.TotalSeconds:f0}");
}
using var arena = new Arena();
var w = t.PackedStudent();
sw.Restart();
Mat a = Features.Encode(t.Net, w, tv, device, pool, arena), b = Features.Encode(t.Net, w, ev, device, pool, arena);
Console.WriteLine($"features {sw.Elapsed.TotalSeconds:f1}s"); sw.Restart();
Console.WriteLine($"knn {Knn.Run(p.Knn, a, train.Labels, b, test.Labels, 10, device, pool).Accuracy} {sw.Elapsed.TotalSeconds:f1}s"); sw.Restart();
Console.WriteLine($"probe {LinearProbe.Run(p.Probe, p.Seed, a, train.Labels, b, test.Labels, 10, device, pool).Accuracy} {sw.Elapsed.TotalSeconds:f1}s"); sw.Restart();
if (args.Contains("raw"))
{
    Mat c = Features.RawPixels(train, arena), d = Features.RawPixels(test, arena);
    Console.WriteLine($"raw knn {Knn.Run(p.Knn, c, train.Labels, d, test.Labels, 10, device, pool).Accuracy} {sw.Elapsed.TotalSeconds:f1}s"); sw.Restart();
    Console.WriteLine($"raw probe {LinearProbe.Run(p.Probe, p.Seed, c, train.Labels, d, test.Labels, 10, device, pool).Accuracy} {sw.Elapsed.TotalSeconds:f1}s"); sw.Restart();
}
foreach (var trunk in new[] { t.Student, null })
{
    if (args.Contains("noft")) break;
    sw.Restart();
    using var f = new FinetuneTrainer(p, tv, device, pool, exec, trunk);
    StepReport? r = null;
    for (long s = 0; s < f.Steps; s++) r = f.Step(s);
    Console.WriteLine($"{f.Stage} loss {r?.Loss} acc {Classify.Run("x", f.Net, f.Packed(), ev, device, pool).Accuracy} {sw.Elapsed.TotalSeconds:f1}s {f.Steps * f.Batch / sw.Elapsed.TotalSeconds:f0} img/s");
}
