using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using LutNative.Interop;
using LutNative.Harness;
using LutNative.Harness.Commands;
using LutNative.Harness.Data;
using LutNative.Harness.Protocol;
using LutNative.Harness.Training;
using LutNative.Model.Checkpoints;
using LutNative.Model.Devices;
using LutNative.Results;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
using var stop = new CancellationTokenSource();
void Ask(PosixSignalContext signal)
{
    signal.Cancel = true;   // a step ends, a checkpoint is written, exit 75
    stop.Cancel();
}
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Ask);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Ask);

var root = new RootCommand("LutNative: pre-train and evaluate vision transformers with MAE and LUT, the same bits on every machine.\n" +
    "Exit codes: 0 done and equal, 1 a bug in lut, 2 usage, 3 bits differ, 4 incomparable, 5 machine unfit, 6 data, 7 numerics, 8 nothing found, 9 results store, 75 interrupted and resumable.");
foreach (var c in RunCommand.Build(stop.Token)) root.Subcommands.Add(c);
root.Subcommands.Add(CompareCommand.Build());
root.Subcommands.Add(TraceCommand.Build());
root.Subcommands.Add(DoctorCommand.Build());
root.Subcommands.Add(AnalyzeCommand.Build());
root.Subcommands.Add(ReportCommand.Build());
foreach (var c in NightlyCommands.Build(stop.Token)) root.Subcommands.Add(c);
root.Subcommands.Add(VerifyCommand.Build());
root.Subcommands.Add(PlanCommand.Build());
root.Subcommands.Add(BenchCommand.Build());
root.Subcommands.Add(DataCommand.Build());
root.Subcommands.Add(ConvertCommand.Build());
root.Subcommands.Add(ExportStepCommand.Build());
root.Subcommands.Add(ClassifyCommand.Build());
foreach (var c in InspectCommands.Build().Concat(ExportCommands.Build())) root.Subcommands.Add(c);

var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    // an unknown word is the cause; "a command is required" only its consequence
    var cause = parsed.Errors.FirstOrDefault(e => e.Message.StartsWith("Unrecognized", StringComparison.Ordinal)) ?? parsed.Errors[0];
    Console.Error.WriteLine($"error LUT2000: {cause.Message}\n  where: lut {string.Join(' ', args)}\n  why:   the command line does not parse ({parsed.Errors.Count} problem(s))\n  fix:   {(root.Subcommands.Any(c => c.Name == args.FirstOrDefault()) ? $"see lut {args[0]} --help" : $"did you mean lut {Nearest.To(args.FirstOrDefault() ?? "", root.Subcommands.Select(c => c.Name))}? See lut --help")}");
    return (int)Exit.Usage;
}
try
{
    return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (LutError e)
{
    Console.Error.WriteLine(e.Message);
    return (int)e.Exit;
}
catch (InterruptedException e)
{
    Console.Error.WriteLine($"interrupted: {e.Message}");
    return (int)Exit.Interrupted;
}
catch (UnfitMachineException e)
{
    Console.Error.WriteLine($"error LUT5001: this machine cannot keep the contract\n  where: start-up self-test\n  why:   {e.Message}\n  fix:   use a machine (or DOTNET_ settings) with hardware fused multiply-add and default rounding");
    return (int)Exit.Unfit;
}
catch (CudaException e)
{
    Console.Error.WriteLine($"error LUT5012: the CUDA device failed\n  where: {e.Call}\n  why:   {e.Message}\n  fix:   {CudaException.Advice(e.Code)}");
    return (int)Exit.Unfit;
}
catch (ResultsException e)
{
    Console.Error.WriteLine($"error LUT9{(int)e.Fault + 100}: {e.What}\n  where: {e.Where}\n  why:   {e.Why}\n  fix:   {e.Fix}");
    return (int)Exit.Store;
}
catch (ImageException e)
{
    Console.Error.WriteLine($"error LUT6101: an image was refused\n  where: {e.ImageName}\n  why:   {e.Message}\n  fix:   `lut data check FOLDER` lists every such image; restore them from the source (docs/DATA.md says what is accepted)");
    return (int)Exit.Data;
}
catch (CudaLibraryException e)
{
    Console.Error.WriteLine($"error LUT5015: a library of NVIDIA's failed\n  where: --math run-to-run\n  why:   {e.Message}\n  fix:   use --math exact meanwhile; the last checkpoint is intact");
    return (int)Exit.Unfit;
}
catch (CheckpointException e)
{
    Console.Error.WriteLine($"error LUT6100: a checkpoint cannot be used\n  where: the checkpoint file\n  why:   {e.Message}\n  fix:   use another checkpoint");
    return (int)Exit.Data;
}
catch (Exception e)
{
    Console.Error.WriteLine($"error LUT1001: a bug in lut: {e.Message}\n{e}");
    return (int)Exit.Internal;
}
