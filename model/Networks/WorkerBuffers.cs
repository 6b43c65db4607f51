using LutNative.Model.Devices;
using LutNative.Model.Layers;
using LutNative.Model.Tensors;

namespace LutNative.Model.Networks;

/// <summary>
/// What a worker needs for the S samples it is at: rows that the host fills, and gradients on their way down. Shapes in
/// the letters of <see cref="PretrainBuffers"/>.
/// </summary>
internal sealed class WorkerBuffers
{
    public readonly HostInput Image; // [1, C*Y*X], view u of a sample
    public readonly ulong[] Keys; // P, the sort keys of a sample's mask
    public readonly BlockGradients Encoder; // R = S*(K+1), D
    public readonly Mat DNormed; // [S*(K+1), D] of view u's tokens after the final norm
    public readonly BlockGradients Decoder; // R = S*(P+1), Dd
    public readonly Mat DTokens; // [S*(P+1), Dd] of the decoder's tokens
    public readonly ContextWorkerBuffers? Context; // null for MAE

    public WorkerBuffers(Lut net, Device device, Arena arena, int samples, MaskPlan mask)
    {
        var shape = net.Mae.Shape;
        var decoder = net.Mae.DecoderShape;
        int encoderRows = samples * (mask.Kept + 1);
        int decoderRows = samples * (shape.Grid.Patches + 1);
        Image = new HostInput(device, shape.Grid.ImageFloats);
        Keys = new ulong[shape.Grid.Patches];
        Encoder = new BlockGradients(arena, encoderRows, shape.Width, shape.Hidden);
        DNormed = arena.Matrix(encoderRows, shape.Width);
        Decoder = new BlockGradients(arena, decoderRows, decoder.Width, decoder.Hidden);
        DTokens = arena.Matrix(decoderRows, decoder.Width);
        if (net.Options.Context)
            Context = new ContextWorkerBuffers(shape, device, arena, samples, mask);
    }
}

/// <summary>The same for the second view, and the teacher, which keeps nothing between its passes.</summary>
internal sealed class ContextWorkerBuffers
{
    public readonly HostInput Image; // [1, C*Y*X], view v of a sample
    public readonly Mat DPooled; // [S*(K+1), D] view u's share from the context loss
    public readonly BlockGradients Encoder; // R = S*(K'+1), D
    public readonly Mat DNormed; // [S*(K'+1), D] of view v's tokens after the final norm
    public readonly EncoderActivations Teacher; // S sequences of all P patches
    public readonly Mat TeacherNormed; // [S*(P+1), D]
    public readonly Mat TeacherStats; // [S*(P+1), 2]

    public ContextWorkerBuffers(VitShape shape, Device device, Arena arena, int samples, MaskPlan mask)
    {
        int rows = samples * (mask.KeptOther + 1);
        int teacherRows = samples * (shape.Grid.Patches + 1);
        Image = new HostInput(device, shape.Grid.ImageFloats);
        DPooled = arena.Matrix(samples * (mask.Kept + 1), shape.Width);
        Encoder = new BlockGradients(arena, rows, shape.Width, shape.Hidden);
        DNormed = arena.Matrix(rows, shape.Width);
        Teacher = new EncoderActivations(arena, shape, samples, shape.Grid.Patches, training: false);
        TeacherNormed = arena.Matrix(teacherRows, shape.Width);
        TeacherStats = arena.Matrix(teacherRows, 2);
    }
}
