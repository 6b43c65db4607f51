using System.Reflection;
using LutNative.Harness.Errors;
using LutNative.Harness.Images;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Interop;
using LutNative.Model;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>
/// What the lower projects and the system say when they cannot go on, as errors with an id, an exit code and something
/// to do. Whatever is not here is a bug in lut.
/// </summary>
internal static class Refusals
{
    /// <summary>An error's four lines on standard error, and the same as one object on standard output.</summary>
    internal static Exit Tell(Exception e, bool json)
    {
        var error = Of(e);
        Console.Error.WriteLine(error.Message);
        if (error.Exit == Exit.Internal)
            Console.Error.WriteLine(Plain.Lines(e.ToString()));
        if (json)
            Output.Json(error.Record);
        return error.Exit;
    }

    internal static LutError Of(Exception e) =>
        e switch
        {
            LutError known => known,
            AggregateException { InnerException: { } first } => Of(first),
            TargetInvocationException { InnerException: { } cause } => Of(cause),
            TypeInitializationException { InnerException: { } cause } => Of(cause),
            DeviceException x => Of(x),
            ModelException x => Of(x),
            ResultsException x => Of(x),
            ImageException x => DataSetErrors.ImageRefused(x.ImageName, x.Message),
            OutOfMemoryException x => UnfitErrors.TooLittleMemory(Machine.RamBytes, x.Message),
            InsufficientExecutionStackException x => DataErrors.NestedTooDeeply(x.Message),
            // a file whose positions the system cannot tell (a failing lseek) is NotSupported to .NET
            IOException
            or UnauthorizedAccessException
            or NotSupportedException { TargetSite.DeclaringType.Namespace: "System.IO" } => StoreErrors.SomeFile(
                Files.NameIn(e),
                e.Message
            ),
            _ => InternalErrors.Bug(e.Message, LutVersion.Text, e.GetType().Name),
        };

    // A fault without a line here does not compile (CS8509).
    private static LutError Of(DeviceException x) =>
        x.Fault switch
        {
            DeviceFault.Driver => UnfitErrors.CudaFailed(x.Where, x.Message, x.Advice),
            DeviceFault.Library => UnfitErrors.CudaLibraryFailed(x.Message),
        };

    private static LutError Of(ModelException x) =>
        x.Fault switch
        {
            ModelFault.Shape => ProtocolErrors.Shapes(x.Message),
            ModelFault.Machine => UnfitErrors.CannotKeepContract(x.Where, x.Message),
            ModelFault.Checkpoint => DataErrors.Checkpoint(x.Message),
        };

    private static LutError Of(ResultsException x) =>
        x.Fault switch
        {
            StoreFault.Unreadable => RunStoreErrors.Unreadable(x),
            StoreFault.NewerSchema => RunStoreErrors.NewerSchema(x),
            StoreFault.CannotWrite => RunStoreErrors.CannotWrite(x),
            StoreFault.Damaged => RunStoreErrors.Damaged(x),
            StoreFault.Missing => RunStoreErrors.Missing(x),
            StoreFault.Held => RunStoreErrors.Held(x),
            StoreFault.CannotLock => RunStoreErrors.CannotLock(x),
        };
}
