namespace LutNative.Harness.Errors;

/// <summary>The command line asks for what is not there, or for two things at once. Nothing was started.</summary>
internal static class UsageErrors
{
    /// <summary>The words do not parse; `fix` says what was probably meant.</summary>
    internal static LutError CommandLine(string what, IEnumerable<string> words, string fix) =>
        new(Exit.Usage, 0, what, "lut " + string.Join(' ', words), "the command line does not parse", fix);

    internal static LutError NoRunToResume(string folder) =>
        new(
            Exit.Usage,
            11,
            $"there is no run to resume at {folder}",
            Path.GetFullPath(folder),
            "--resume needs the folder of an interrupted run, or auto",
            "`lut ls` lists the runs"
        );

    internal static LutError NoDevice(string name, string known, IEnumerable<string> devices) =>
        new(
            Exit.Usage,
            12,
            $"there is no device {name}",
            "--device",
            known,
            $"did you mean {Nearest.To(name, devices)}?"
        );

    internal static LutError NoShape(string name, IReadOnlyCollection<string> known) =>
        new(
            Exit.Usage,
            13,
            $"there is no shape or protocol named {name}",
            "the shape argument",
            "known are " + string.Join(", ", known),
            $"did you mean {Nearest.To(name, known)}?"
        );

    internal static LutError NoTrainingStage(string stage) =>
        new(
            Exit.Usage,
            14,
            $"there is no stage {stage}",
            "--stage",
            "the stages that train are pretrain and finetune",
            "use one of them"
        );

    internal static LutError NoMethod(string method) =>
        new(
            Exit.Usage,
            15,
            $"there is no method {method}",
            "--method",
            "the methods are lut and mae",
            "use one of them"
        );

    internal static LutError NoMemorySetting(string memory) =>
        new(
            Exit.Usage,
            17,
            $"there is no memory setting {memory}",
            "--memory",
            "the settings are keep, recompute and auto",
            $"did you mean {Nearest.To(memory, ["keep", "recompute", "auto"])}?"
        );

    internal static LutError NoMathLevel(string math, IReadOnlyCollection<string> levels) =>
        new(
            Exit.Usage,
            18,
            $"there is no level of math {math}",
            "--math",
            $"the levels are {string.Join(", ", levels)}",
            $"did you mean {Nearest.To(math, levels)}?"
        );

    internal static LutError MathNeedsGpu(string math, string device) =>
        new(
            Exit.Usage,
            19,
            $"{math} is a GPU's",
            $"--math {math} --device {device}",
            "the CPU keeps the contract and has no other level",
            "use --device cuda:0 (or cuda:emulated), or --math exact"
        );

    internal static LutError NoDataSheet(string name, IEnumerable<string> known) =>
        new(
            Exit.Usage,
            21,
            $"there is no data sheet for {name}",
            name,
            "known are " + string.Join(", ", known),
            $"did you mean {Nearest.To(name, known)}?"
        );

    internal static LutError KernelsNeedGpu(string device) =>
        new(
            Exit.Usage,
            22,
            "--kernels is about GPUs",
            "--device " + device,
            "the CPU's time is told by phase and by operation",
            "use --device cuda:0, planned:h200, or ./build.sh bench"
        );

    internal static LutError OverNeedsData() =>
        new(
            Exit.Usage,
            24,
            "--over needs the data set's own folder too",
            "--data",
            "the names of its classes give the labels",
            "add --data FOLDER"
        );

    internal static LutError OneRunAtATime(IEnumerable<string> runs) =>
        new(
            Exit.Usage,
            26,
            "verify takes one run",
            string.Join(", ", runs),
            "several belong to a claim",
            "add --claim NAME, or verify them one by one"
        );

    internal static LutError NoTable(string name, IEnumerable<string> known) =>
        new(
            Exit.Usage,
            31,
            $"there is no table {name}",
            "the table argument",
            "tables are " + string.Join(", ", known),
            $"did you mean {Nearest.To(name, known)}?"
        );

    internal static LutError NoFormat(string name) =>
        new(
            Exit.Usage,
            32,
            $"there is no format {name}",
            "--to",
            "the formats are csv and jsonl",
            $"did you mean {Nearest.To(name, ["csv", "jsonl"])}?"
        );

    internal static LutError WatchedOnCpu(string device) =>
        new(
            Exit.Usage,
            33,
            "operations are watched on the CPU",
            "--device " + device,
            "--trace-step and --inject op=... look at every result where it lies",
            "use --device cpu: the bits are the same"
        );

    internal static LutError NoTraceOfStage(string stage) =>
        new(
            Exit.Usage,
            34,
            "MAE's linear probe cannot be traced",
            $"stage {stage}",
            "it trains on features; where those are equal, only its own few operations remain",
            "compare the two runs' checkpoints with `lut compare`"
        );

    internal static LutError TracedOnCpu(string device) =>
        new(
            Exit.Usage,
            35,
            "operations are watched on the CPU",
            "--device " + device,
            "a trace looks at every result where it lies",
            "use --device cpu: the bits are the same"
        );

    internal static LutError ExactOrPerf() =>
        new(
            Exit.Usage,
            36,
            "--exact and --perf are two questions",
            "compare",
            "bits have no tolerance, and speeds are never equal",
            "ask them one by one"
        );

    internal static LutError NoBuildToMeasure(string program, string why) =>
        new(
            Exit.Usage,
            37,
            "a build cannot be measured",
            program,
            why,
            "name the lut.dll or the executable of a build that knows `bench --launches=0 --turns`"
        );

    internal static LutError BitsInPairs(IEnumerable<string> runs) =>
        new(
            Exit.Usage,
            38,
            "bits are compared in pairs",
            string.Join(' ', runs),
            "only --perf makes a table of more than two",
            "compare them one by one"
        );

    internal static LutError NoRequirement(string need, IReadOnlyCollection<string> known) =>
        new(
            Exit.Usage,
            47,
            $"{need} is not something doctor can require",
            "--require",
            "it knows " + string.Join(", ", known),
            $"did you mean {Nearest.To(need, known)}?"
        );

    internal static LutError OnceOrResume() =>
        new(
            Exit.Usage,
            404,
            "--once and --resume are two answers to one question",
            "--once --resume",
            "--once finds an interrupted run itself",
            "leave one of them away"
        );

    /// <param name="minutes">As it was given: negative, not a number, or too many.</param>
    internal static LutError NoInterval(double? minutes) =>
        new(
            Exit.Usage,
            420,
            FormattableString.Invariant($"{minutes} minutes are no time between checkpoints"),
            "--checkpoint-minutes",
            "it is at least 0 (after every step) and at most 525600 (a year)",
            "leave it out: the interval then adapts to what a checkpoint costs"
        );

    internal static LutError IndexIsAFile(string path) =>
        new(
            Exit.Usage,
            446,
            $"--index {Shown.Name(path)} is a file",
            Shown.Name(Path.GetFullPath(path)),
            "a run has two splits, train and val, with an index each",
            "give a folder: lut-index.train.tsv and lut-index.val.tsv are read from there and kept there"
        );

    internal static LutError NoRunsFolder(string folder) =>
        new(
            Exit.Usage,
            464,
            $"there is no folder {folder}",
            Path.GetFullPath(folder),
            "--output names a folder of runs",
            "check the path"
        );

    internal static LutError NoProgram(string program) =>
        new(
            Exit.Usage,
            480,
            $"{program} was not found",
            "the folders of PATH",
            "programs are looked for in PATH's absolute folders, never in the current one",
            $"install {program}, or put its folder on PATH"
        );

    internal static LutError RegistersNeedGpu(string device) =>
        new(
            Exit.Usage,
            490,
            "--registers is about a GPU's kernels",
            "--device " + device,
            "the CPU runs none",
            "use --device cuda:0"
        );
}
