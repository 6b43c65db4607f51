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
    internal static RootCommand Root(CancellationToken stop)
    {
        var root = new RootCommand(
            "LutNative: pre-train and evaluate vision transformers with MAE and LUT, the same bits on every machine.\n"
                + (
                    "Exit codes: 0 done and equal, 1 a bug in lut, 2 usage, 3 bits differ, 4 incomparable, 5 "
                    + "machine unfit, 6 data, 7 numerics, 8 nothing found, 9 results store, 75 interrupted and "
                    + "resumable, "
                )
                + "128 + n ended by signal n."
        );
        Command[] verbs =
        [
            .. RunCommand.Build(stop),
            CompareCommand.Build(),
            TraceCommand.Build(),
            DoctorCommand.Build(),
            AnalyzeCommand.Build(),
            ReportCommand.Build(),
            NightlyCommand.Build(stop),
            BaselineCommand.Build(),
            BisectCommand.Build(),
            VerifyCommand.Build(),
            PlanCommand.Build(),
            BenchCommand.Build(),
            DataCommand.Build(),
            ConvertCommand.Build(),
            ExportStepCommand.Build(),
            ClassifyCommand.Build(),
            ListCommand.Build(),
            ShowCommand.Build(),
            SchemaCommand.Build(),
            ExportCommand.Build(),
        ];
        foreach (var verb in verbs)
            root.Subcommands.Add(verb);
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
        bool json = false;
        try
        {
            var parsed = Root(stop).Parse(args);
            json = CommandLineError.AsksForJson(parsed);
            if (CommandLineError.Of(parsed, args) is { } wrong)
                throw wrong;
            watch(WhenToldOf(args.FirstOrDefault()));
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
            return (int)Refusals.Tell(e, json);
        }
    }

    /// <summary>Verbs that write a checkpoint before they stop.</summary>
    private static readonly string[] KeepCheckpoints = ["run", StageId.Pretrain.Name, StageId.Finetune.Name, "eval"];

    /// <summary>What becomes of a verb that is told to stop.</summary>
    private static WhenTold WhenToldOf(string? verb)
    {
        if (KeepCheckpoints.Contains(verb))
            return WhenTold.AtCheckpoint;
        return verb == "nightly" ? WhenTold.StartAgain : WhenTold.BySignal;
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
        var error = StoreErrors.CannotWriteOutput(why, code);
        Console.Error.WriteLine(error.Message);
        return (int)error.Exit;
    }
}
