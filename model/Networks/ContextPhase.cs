using LutNative.Model.Layers;
using LutNative.Model.Numerics;
using LutNative.Model.Ops;
using LutNative.Model.Tensors;

namespace LutNative.Model.Networks;

/// <summary>
/// Phase 2 of a LUT step, a whole BN batch at once because batch norm couples its samples: projector and predictor on
/// the student's pooled tokens, projector on the teacher's, the broader-context loss, and the same way back. View u
/// before view v, since both move the running statistics. Source: LUT models_lut.py:112-142 (heads), 295-303.
/// </summary>
internal sealed class ContextPhase(PretrainParts parts, ContextBuffers buffers)
{
    private readonly MlpHead projector = parts.Net.Projector!;
    private readonly MlpHead predictor = parts.Net.Predictor!;
    private readonly int grain = parts.Plan.Grain;

    /// <summary>See <see cref="PretrainStep.OnContext"/>.</summary>
    internal Action<int, Mat, Mat, Mat, Mat>? OnContext { get; set; }

    /// <summary>
    /// Returns L_BC; DPooled of both views becomes the gradient of what was pooled, and the heads keep what their leaf
    /// gradients need.
    /// </summary>
    internal float Run(int bnBatch)
    {
        ViewHeads u = buffers.U;
        ViewHeads v = buffers.V;
        Pass student = new(parts.Device, parts.Student);
        Pass teacher = new(parts.Device, parts.Teacher!);

        Predict(student, u);
        Predict(student, v);
        Project(teacher, u);
        Project(teacher, v);
        Mat qu = u.Predictor.Output; // [B, D]
        Mat qv = v.Predictor.Output; // [B, D]
        Mat tu = u.TeacherProjector.Output; // [B, D]
        Mat tv = v.TeacherProjector.Output; // [B, D]
        OnContext?.Invoke(bnBatch, qu, qv, tu, tv);

        // L_BC = (D(q_v, t_u) + D(q_u, t_v)) / 2, each direction a mean over the BN batch (engine_lut.py:28-31, 58-70)
        float vu = Loss(v.DPooled, qv, tu);
        float uv = Loss(u.DPooled, qu, tv);

        PredictBackward(student, v);
        PredictBackward(student, u);
        return 0.5f * (vu + uv);
    }

    /// <summary>q [B, D] = predictor(projector(pooled)).</summary>
    private void Predict(in Pass student, ViewHeads view)
    {
        projector.Forward(parts.Pool, student, view.Projector, view.Pooled, grain, training: true);
        predictor.Forward(parts.Pool, student, view.Predictor, view.Projector.Output, grain, training: true);
    }

    private void PredictBackward(in Pass student, ViewHeads view)
    {
        Mat d = view.DPooled;
        // predictor.Forward
        predictor.Backward(parts.Pool, student, view.Predictor, d, d, grain);
        // projector.Forward
        projector.Backward(parts.Pool, student, view.Projector, d, d, grain);
    }

    /// <summary>t [B, D] = the teacher's projector(pooled), by its running statistics; no gradient.</summary>
    private void Project(in Pass teacher, ViewHeads view) =>
        projector.Forward(parts.Pool, teacher, view.TeacherProjector, view.TeacherPooled, grain, training: false);

    /// <summary>Mean of D(q, t) over the BN batch, by T; dq [B, D] is overwritten.</summary>
    private float Loss(Mat dq, Mat q, Mat t)
    {
        float k = (float)(-2.0 * 0.5 * parts.Net.Options.WBc / ((double)parts.Plan.BnBatch * parts.Plan.Accum));
        ContextLoss.Run(parts.Device, buffers.Loss, dq, q, t, k);
        parts.Device.Read(buffers.LossRead, buffers.Loss);
        return Tree.Sum(buffers.LossRead) / parts.Plan.BnBatch;
    }
}
