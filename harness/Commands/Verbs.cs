using System.CommandLine;
using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>The command line: which verbs there are, and one of them from its words to its exit code.</summary>
internal static class Verbs
{
    private static readonly string[] KeepCheckpoints = ["run", StageId.Pretrain.Name, StageId.Finetune.Name, "eval"];

    internal static RootCommand Root(CancellationToken stop)
    {
        var root = new RootCommand(
            "LutNative: pre-train and evaluate vision transformers with MAE and LUT, the same bits on every machine.\n"
                + "Exit codes: 0 done and equal, 1 a bug in lut, 2 usage, 3 bits differ, 4 incomparable, 5 machine unfit, 6 data, 7 numerics, 8 nothing found, 9 results store, 75 interrupted and resumable, "
                + "128 + n ended by signal n."
        );
        foreach (var c in RunCommand.Build(stop))
            root.Subcommands.Add(c);
        root.Subcommands.Add(CompareCommand.Build());
        root.Subcommands.Add(TraceCommand.Build());
        root.Subcommands.Add(DoctorCommand.Build());
        root.Subcommands.Add(AnalyzeCommand.Build());
        root.Subcommands.Add(ReportCommand.Build());
        foreach (var c in NightlyCommands.Build(stop))
            root.Subcommands.Add(c);
        root.Subcommands.Add(VerifyCommand.Build());
        root.Subcommands.Add(PlanCommand.Build());
        root.Subcommands.Add(BenchCommand.Build());
        root.Subcommands.Add(DataCommand.Build());
        root.Subcommands.Add(ConvertCommand.Build());
        root.Subcommands.Add(ExportStepCommand.Build());
        root.Subcommands.Add(ClassifyCommand.Build());
        foreach (var c in InspectCommands.Build().Concat(ExportCommands.Build()))
            root.Subcommands.Add(c);
        return root;
    }

    internal static int Run(string[] args)
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        StandardStream.Install();
        return Heard(Answer(args, Interruption.Watch, Interruption.Asked));
    }

    /// <summary>
    /// A verb from its words to its exit code, but for what belongs to the process: its streams and its signals.
    /// </summary>
    internal static int Answer(string[] args, Action<WhenTold> watch, CancellationToken stop)
    {
        try
        {
            var parsed = Root(stop).Parse(args);
            if (CommandLineError.Of(parsed, args) is { } wrong)
                throw wrong;
            string verb = args.FirstOrDefault() ?? "";
            watch(
                KeepCheckpoints.Contains(verb) ? WhenTold.AtCheckpoint
                : verb == "nightly" ? WhenTold.StartAgain
                : WhenTold.BySignal
            );
            return parsed.Invoke(
                new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }
            );
        }
        catch (InterruptedException e)
        {
            Console.Error.WriteLine($"interrupted: {Plain.OneLine(e.Message)}");
            return (int)Exit.Interrupted;
        }
        catch (ChildFailedException e)
        {
            Console.Error.WriteLine(Plain.OneLine(e.Message));
            return (int)e.Exit;
        }
        catch (Exception e)
        {
            var error = Refusals.Of(e);
            Console.Error.WriteLine(error.Message);
            if (error.Exit == Exit.Internal)
                Console.Error.WriteLine(Plain.Lines(e.ToString()));
            return (int)error.Exit;
        }
    }

    /// <summary>
    /// What was said on standard output was the result: where it could not be written, the caller has not got it.
    /// </summary>
    private static int Heard(int code)
    {
        if (
            StandardStream.Out.Failure is not { } why
            || code is (int)Exit.Internal or (int)Exit.Usage or (int)Exit.Interrupted
        )
            return code;
        var error = new LutError(
            Exit.Store,
            460,
            "standard output cannot be written",
            "standard output",
            $"{why}; the verb itself ended with exit code {code}, and what it stores is whole",
            "free some space, or send the output elsewhere"
        );
        Console.Error.WriteLine(error.Message);
        return (int)error.Exit;
    }
}
