using System.Runtime.InteropServices;
using System.Text.Json;
using LutNative.Harness.Protocol;
using LutNative.Harness.Training;
using LutNative.Model.Checkpoints;
using LutNative.Model.Networks;
using LutNative.Model.Tensors;
using LutNative.Results;

namespace LutNative.Harness.Diagnosis;

/// <summary>
/// One pre-training step with all that goes in and comes out, as one safetensors file: states (moments too) before and
/// after, both views, the order of the patches, losses and gradients. Another framework can repeat the step from it
/// (tests/benchmarks/peer/torch_lut.py parity). Metadata lut.step holds the numbers as JSON.
/// </summary>
public static class StepExport
{
    public static StepReport Write(string path, PretrainTrainer t, ProtocolSpec p, long s)
    {
        var tensors = new List<SafeTensor>();
        void Add(string name, int[] shape, Action<Span<float>> read)
        {
            byte[] bytes = new byte[shape.Aggregate(4L, (a, b) => a * b)];
            read(MemoryMarshal.Cast<byte, float>(bytes.AsSpan()));
            tensors.Add(new SafeTensor(name, "F32", [.. shape.Select(n => (long)n)], bytes));
        }
        void AddStates(string when)
        {
            foreach (var (name, state) in t.States)
            {
                bool moments = name is "exp_avg" or "exp_avg_sq";
                foreach (var e in state.Layout.Entries.Where(e => e.Kind == EntryKind.Parameter || !moments))
                    Add($"{when}.{name}.{e.Name}", e.Shape, to => state.Read(e, to));
                for (int i = 0; i < state.Counters.Length && !moments; i++)
                    tensors.Add(
                        new SafeTensor(
                            $"{when}.{name}.{state.Layout.Counters[i]}",
                            "I64",
                            [1],
                            BitConverter.GetBytes(state.Counters[i])
                        )
                    );
            }
        }
        var grid = t.Net.Mae.Shape.Grid;
        bool context = t.Net.Options.Context;
        float[] u = new float[t.Batch * grid.ImageFloats];
        float[] v = new float[context ? u.Length : 0];
        var shuffle = new int[t.Batch * grid.Patches];
        var keys = new ulong[grid.Patches];
        for (int i = 0; i < t.Batch; i++)
        {
            t.Samples.Fill(
                s,
                i,
                u.AsSpan(i * grid.ImageFloats, grid.ImageFloats),
                context ? v.AsSpan(i * grid.ImageFloats, grid.ImageFloats) : default,
                keys
            );
            keys.AsSpan().Sort();
            for (int l = 0; l < keys.Length; l++)
                shuffle[i * grid.Patches + l] = (int)(uint)keys[l];
        }
        AddStates("before");
        var report = t.Step(s);
        AddStates("after");
        foreach (var e in t.Student.Layout.Entries.Where(e => e.Kind == EntryKind.Parameter))
            Add("gradient." + e.Name, e.Shape, to => t.Device.Read(to, t.Gradient[e]));
        Add("view_u", [t.Batch, grid.ImageFloats], to => u.CopyTo(to));
        if (context)
            Add("view_v", [t.Batch, grid.ImageFloats], to => v.CopyTo(to));
        tensors.Add(
            new SafeTensor("shuffle", "I32", [t.Batch, grid.Patches], MemoryMarshal.AsBytes(shuffle.AsSpan()).ToArray())
        );
        var r = p.Pretrain;
        string numbers = JsonSerializer.Serialize(
            new
            {
                step = s,
                method = r.Method,
                image = grid.Size,
                patch = grid.Patch,
                width = p.Model.Width,
                depth = p.Model.Depth,
                heads = p.Model.Heads,
                decoder_width = p.Model.DecoderWidth,
                decoder_depth = p.Model.DecoderDepth,
                decoder_heads = p.Model.DecoderHeads,
                head = r.HeadMlpDim,
                batch = t.Batch,
                bn_batch = r.BnBatch,
                kept = new MaskPlan(grid.Patches, r.MaskRatio).Kept,
                norm_pix_loss = r.NormPixLoss,
                w_bc = r.WBc,
                lr = report.Lr,
                weight_decay = r.WeightDecay,
                beta1 = r.Beta1,
                beta2 = r.Beta2,
                eps = r.Eps,
                loss = report.Loss,
                loss_recon = report.Recon,
                loss_context = report.Context,
                grad_norm = report.GradNorm,
            }
        );
        WholeFile.Write(
            path,
            file =>
                Safetensors.Write(
                    file,
                    tensors,
                    new Dictionary<string, string> { ["lut.step"] = numbers, ["lut.protocol"] = p.Protocol }
                )
        );
        return report;
    }
}
