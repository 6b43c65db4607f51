using System.Reflection;
using LutNative.Harness.Errors;
using LutNative.Harness.Images;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Interop;
using LutNative.Model.Checkpoints;
using LutNative.Model.Tensors;
using LutNative.Model.Threads;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>
/// What the lower projects and the system say when they cannot go on, as errors with an id, an exit code and something
/// to do. Whatever is not here is a bug in lut.
/// </summary>
internal static class Refusals
{
    internal static LutError Of(Exception e) =>
        e switch
        {
            LutError known => known,
            AggregateException { InnerException: { } first } => Of(first),
            TargetInvocationException { InnerException: { } cause } => Of(cause),
            TypeInitializationException { InnerException: { } cause } => Of(cause),
            UnfitMachineException x => new LutError(
                Exit.Unfit,
                1,
                "this machine cannot keep the contract",
                x.Where,
                x.Message,
                "use a machine (or DOTNET_ settings) with hardware fused multiply-add and default rounding; nothing that was computed meanwhile was recorded"
            ),
            CudaException x => new LutError(
                Exit.Unfit,
                12,
                "the CUDA device failed",
                x.Call,
                x.Message,
                CudaException.Advice(x.Code)
            ),
            CudaLibraryException x => new LutError(
                Exit.Unfit,
                15,
                "a library of NVIDIA's failed",
                "--math run-to-run",
                x.Message,
                "use --math exact meanwhile; the last checkpoint is intact"
            ),
            ResultsException x => new LutError(Exit.Store, 100 + (int)x.Fault, x.What, x.Where, x.Why, x.Fix),
            ImageException x => new LutError(
                Exit.Data,
                101,
                "an image was refused",
                x.ImageName,
                x.Message,
                "`lut data check FOLDER` lists every such image; restore them from the source (docs/DATA.md says what is accepted)"
            ),
            CheckpointException x => new LutError(
                Exit.Data,
                100,
                "a checkpoint cannot be used",
                "the checkpoint file",
                x.Message,
                "use another checkpoint"
            ),
            ShapeException x => new LutError(
                Exit.Usage,
                460,
                "these shapes cannot be computed here",
                "the protocol's shapes, on this --device and at this level of --math",
                x.Message,
                "change the shape, the --device or the --math"
            ),
            OutOfMemoryException x => new LutError(
                Exit.Unfit,
                461,
                "there is too little memory",
                FormattableString.Invariant($"this machine, {Machine.RamBytes >> 20} MiB"),
                x.Message,
                "`lut plan PROTOCOL` says what a run needs: use --memory recompute, a smaller --micro-batch or --data-workers 0, or a machine with more; what is on disk is whole"
            ),
            InsufficientExecutionStackException x => new LutError(
                Exit.Data,
                460,
                "an input is nested too deeply",
                "a file that was being read",
                x.Message,
                "give a file as its own tools write it"
            ),
            // a file whose positions the system cannot tell (a failing lseek) is NotSupported to .NET
            IOException
            or UnauthorizedAccessException
            or NotSupportedException { TargetSite.DeclaringType.Namespace: "System.IO" } => new LutError(
                Exit.Store,
                461,
                "a file cannot be read or written",
                Files.NameIn(e),
                e.Message,
                "check the path, its permissions and the free space; what is under a final name is whole"
            ),
            _ => new LutError(
                Exit.Internal,
                1,
                $"a bug in lut: {e.Message}",
                $"lut {LutVersion.Text}",
                e.GetType().Name,
                "please report it, with this message, the trace below and the command"
            ),
        };
}

/// <summary>A process that measured for this one failed and has said why: its exit code is ours.</summary>
internal sealed class ChildFailedException(Exit exit, string message) : Exception(message)
{
    internal Exit Exit { get; } = exit;
}
