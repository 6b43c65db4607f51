using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;

namespace LutNative.Model.Networks;

/// <summary>
/// Phase 1 of a pre-training step, a group of grains at a time: patches, student, decoder, loss; then the second view
/// and the teacher's targets. Source: MAE models_mae.py (forward_encoder, forward_decoder, forward_loss); LUT
/// models_lut.py:212-303. Shapes in the letters of <see cref="PretrainBuffers"/>.
/// </summary>
internal sealed class ForwardPhase(PretrainParts parts)
{
    private readonly Mae mae = parts.Net.Mae;
    private readonly LutOptions options = parts.Net.Options;
    private readonly PatchGrid grid = parts.Net.Mae.Shape.Grid;
    private readonly Device device = parts.Device;
    private readonly BatchPlan plan = parts.Plan;
    private readonly MaskPlan mask = parts.Mask;
    private readonly PretrainBuffers buffers = parts.Buffers;
    private readonly int maskedOfBnBatch = parts.Plan.BnBatch * (parts.Net.Mae.Shape.Grid.Patches - parts.Mask.Kept);

    /// <summary>See <see cref="PretrainStep.OnPrediction"/>.</summary>
    internal Action<int, Mat>? OnPrediction { get; set; }

    /// <summary>Group g of the BN batch.</summary>
    /// <param name="studentOnly">
    /// Activations are made again for backward: the teacher's targets and the pooled tokens are there already.
    /// </param>
    internal void Run(ISampleSource source, int bnBatch, int g, MicroBatch[] kept, int worker, bool studentOnly = false)
    {
        WorkerBuffers w = buffers.Workers[worker];
        Pass student = new(device, parts.Student);
        long time = PhaseClock.Now;
        for (int m = 0; m < kept.Length; m++)
        {
            MicroBatch micro = kept[m];
            int first = g * plan.GroupSamples + m * plan.Samples; // in the BN batch
            for (int s = 0; s < plan.Samples; s++)
                LoadSample(source, bnBatch * plan.BnBatch + first + s, micro, s, w);
            time = parts.Pool.Clock.Add(Phase.Data, worker, time);

            mae.Encode(student, micro.Decoder.Normed, micro.Decoder.Stats, micro.FirstView);
            mae.Decode(student, micro.Decoder, mask.Kept);
            ReconstructionLoss(micro, first);
            OnPrediction?.Invoke(bnBatch * plan.BnBatch + first, micro.Decoder.Pred);

            if (micro.SecondView is { } second)
            {
                EncodeSecondView(student, second);
                if (!studentOnly)
                {
                    PoolViews(micro, second, first);
                    EncodeTeacherTargets(w.Context!, micro, second, first);
                }
            }
            time = parts.Pool.Clock.Add(Phase.Forward, worker, time);
        }
    }

    /// <summary>
    /// T over masked patches in (sample, patch) order, divided by their count: L_MAE of a BN batch. Source: MAE
    /// models_mae.py forward_loss; LUT models_lut.py:271-287.
    /// </summary>
    internal float MeanReconstructionLoss()
    {
        device.Read(buffers.PatchLossRead, buffers.PatchLoss);
        Tree sum = default;
        for (int i = 0; i < buffers.Masked.Length; i++)
            if (buffers.Masked[i])
                sum.Add(buffers.PatchLossRead[i]);
        return sum.Root() / maskedOfBnBatch;
    }

    /// <summary>Sample s of a micro-batch: its views' pixels, and which patches each of them shows.</summary>
    private void LoadSample(ISampleSource source, int position, MicroBatch micro, int s, WorkerBuffers w)
    {
        Span<float> v = default;
        Span<int> shownByV = default;
        Span<float> u = w.Image.Begin(micro.FirstView.Images.Slice(s, 1));
        Span<int> shownByU = micro.FirstView.Index.AsSpan(s * mask.Kept, mask.Kept);
        if (micro.SecondView is { } second)
        {
            v = w.Context!.Image.Begin(second.Encoder.Images.Slice(s, 1));
            shownByV = second.Encoder.Index.AsSpan(s * mask.KeptOther, mask.KeptOther);
        }
        source.Load(position, u, v, w.Keys);
        w.Image.End();
        w.Context?.Image.End();
        mask.Draw(w.Keys, shownByU, shownByV, micro.Decoder.Restore.AsSpan(s * grid.Patches, grid.Patches));
    }

    /// <summary>Loss of every patch [S, P] and dPred [S*(P+1), C*p*p], where only masked patches count.</summary>
    private void ReconstructionLoss(MicroBatch micro, int first)
    {
        DecoderActivations d = micro.Decoder;
        Patchify.Target(device, d.Target, micro.FirstView.Images, grid);
        if (options.NormPixLoss)
            PatchTarget.Normalise(device, d.Target);
        float scale = (float)(2.0 * options.WMae / ((double)grid.PatchFloats * maskedOfBnBatch * plan.Accum));
        Mat loss = buffers.PatchLoss.Slice(first, plan.Samples);
        PatchTarget.Loss(device, loss, d.DPred, d.Pred, d.Target, d.Restore, mask.Kept, scale);
        for (int i = 0; i < d.Restore.Length; i++)
            buffers.Masked[first * grid.Patches + i] = d.Restore[i] >= mask.Kept;
    }

    /// <summary>The student on view v: normed [S*(K'+1), D].</summary>
    private void EncodeSecondView(in Pass student, SecondView second) =>
        mae.Encode(student, second.Normed, second.Stats, second.Encoder);

    /// <summary>
    /// Both views' visible patch tokens, averaged: rows [first, first + S) of the BN batch. Source: LUT
    /// models_lut.py:295-301.
    /// </summary>
    private void PoolViews(MicroBatch micro, SecondView second, int first)
    {
        ContextBuffers context = buffers.Context!;
        Pooling.Forward(device, context.U.Pooled.Slice(first, plan.Samples), micro.Decoder.Normed);
        Pooling.Forward(device, context.V.Pooled.Slice(first, plan.Samples), second.Normed);
    }

    /// <summary>
    /// The teacher on both views, every patch visible ("learning with unmasked tokens"); what it pools becomes targets
    /// in the context phase. Source: LUT models_lut.py:297-303.
    /// </summary>
    private void EncodeTeacherTargets(ContextWorkerBuffers w, MicroBatch micro, SecondView second, int first)
    {
        ContextBuffers context = buffers.Context!;
        EncodeTeacher(w, context.U.TeacherPooled.Slice(first, plan.Samples), micro.FirstView.Images);
        EncodeTeacher(w, context.V.TeacherPooled.Slice(first, plan.Samples), second.Encoder.Images);
    }

    private void EncodeTeacher(ContextWorkerBuffers w, Mat pooled, Mat images)
    {
        Pass teacher = new(device, parts.Teacher!);
        device.Copy(w.Teacher.Images, images);
        mae.Encode(teacher, w.TeacherNormed, w.TeacherStats, w.Teacher);
        Pooling.Forward(device, pooled, w.TeacherNormed);
    }
}
