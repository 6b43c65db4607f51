using System.CommandLine;
using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Harness.Experiments;
using LutNative.Harness.Nightly;
using LutNative.Harness.Recording;
using LutNative.Harness.Reports;
using LutNative.Harness.Surroundings;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>nightly, baseline and bisect: the regression kit.</summary>
internal static class NightlyCommands
{
    internal static IEnumerable<Command> Build(CancellationToken stop)
    {
        yield return Nightly(stop);
        yield return BaselineCommand();
        yield return BisectCommand();
    }

    private static Option<string> BaselineFolder() =>
        new("--baseline")
        {
            Description = "Folder of the baselines, one TOML file for each kind of hardware",
            DefaultValueFactory = _ => "baselines",
        };

    private static Option<string> DeviceOption() =>
        new("--device") { Description = "cpu, cuda:0, cuda:emulated, ...", DefaultValueFactory = _ => "cpu" };

    private static Option<bool> JsonOption() => new("--json") { Description = "Print the result as one JSON object" };

    private static Command Nightly(CancellationToken stop)
    {
        var command = new Command(
            "nightly",
            "One night of a suite: bits, then accuracy, then speed with confirmation; Markdown, JUnit, issues, history. Example: lut nightly --suite ops/nightly.toml"
        );
        Option<string> suite = new("--suite") { Description = "TOML file that says what runs", Required = true };
        Option<string> baseline = BaselineFolder();
        Option<string> device = DeviceOption();
        Option<string> output = new("--output", "-o")
        {
            Description = "Folder of nights",
            DefaultValueFactory = _ => "nights",
        };
        Option<string?> pinned = new("--pinned-build")
        {
            Description = "lut.dll or executable of the last release: a slowdown is confirmed against it, in turns",
        };
        Option<string?> inject = new("--inject")
        {
            Description = "Plant a fault in the bits stage, for drills (as in run)",
        };
        Option<double?> slow = Numbers.Double(
            "--slow",
            "Plant a slowdown in the perf stage, for drills: 0.15 is fifteen percent",
            0,
            100
        );
        Option<bool> exitZero = new("--exit-zero") { Description = "Exit 0 whatever was found: for advisory jobs" };
        Option<bool> quiet = new("--quiet", "-q") { Description = "No progress on standard error" };
        Option<bool> json = JsonOption();
        foreach (
            Option o in new Option[] { suite, baseline, output, device, pinned, inject, slow, exitZero, quiet, json }
        )
            command.Options.Add(o);
        command.SetAction(r =>
        {
            string folder = r.GetValue(output)!;
            var order = new NightOrder(
                Suite.Load(r.GetValue(suite)!),
                r.GetValue(baseline)!,
                folder,
                r.GetValue(device)!,
                r.GetValue(pinned),
                r.GetValue(inject) is { } fault ? Training.Fault.Parse(fault) : null,
                r.GetValue(slow) ?? 0,
                r.GetValue(quiet),
                RecordedSettings.Argv(Environment.GetCommandLineArgs())
            );
            var (night, findings) = Night.Run(order, stop);
            var exit = ExitOf(findings);
            Publish(folder, night, findings);
            int red = findings.Count(f => f.Colour == Colour.Red);
            string verdict = FormattableString.Invariant(
                $"VERDICT nightly={(red > 0 ? "RED" : exit == Exit.Unfit ? "UNFIT" : "CLEAN")} red={red} rows={findings.Count} night={night} exit={(int)exit}"
            );
            if (r.GetValue(json))
                Output.Json(
                    new
                    {
                        verdict,
                        night,
                        findings = findings.Select(f => new
                        {
                            kind = f.Kind,
                            key = f.Key,
                            verdict = f.Verdict,
                            colour = f.Colour.ToString().ToLowerInvariant(),
                            reason = f.Reason,
                            a = f.A,
                            b = f.B,
                            ratio = f.Ratio,
                            low = f.Low,
                            high = f.High,
                            p = f.P,
                            band = f.Band,
                        }),
                        exit = (int)exit,
                    }
                );
            else
            {
                Output.Table(
                    ["stage", "row", "verdict", "what"],
                    findings.Select(f => new[] { f.Kind, f.Key, f.Verdict, f.Reason })
                );
                Output.Line(verdict);
            }
            return r.GetValue(exitZero) ? 0 : (int)exit;
        });
        return command;
    }

    /// <summary>
    /// Red wins over everything: it was confirmed. Then a machine that could not say, a row without history, and rows
    /// that say nothing.
    /// </summary>
    private static Exit ExitOf(IReadOnlyList<Finding> findings) =>
        findings.Any(f => f.Colour == Colour.Red) ? Exit.Negative
        : findings.Any(f => f.Colour == Colour.Grey) ? Exit.Unfit
        : findings.Any(f => f.Verdict is "UNSTABLE" or "INCOMPARABLE" or "NO-REFERENCE") ? Exit.Inconclusive
        : findings.Any(f => f.Verdict == "NO-BASELINE") ? Exit.NothingSelected
        : Exit.Ok;

    private static void Publish(string root, string night, IReadOnlyList<Finding> findings)
    {
        var nights = History.Load(root);
        string summary = NightReport.Summary(nights);
        try
        {
            WholeFile.WriteText(Path.Combine(night, "summary.md"), summary);
            WholeFile.WriteText(Path.Combine(night, "junit.xml"), NightReport.JUnit(findings));
            foreach (var (file, text) in NightReport.Issues(nights))
                WholeFile.WriteText(Path.Combine(night, file), text);
            new RunStore(night).WriteManifest();
            WholeFile.WriteText(Path.Combine(root, "history.html"), HtmlReport.History(nights));
            // GitHub: the job's page shows the summary, and the log an annotation for every red row
            if (Environment.GetEnvironmentVariable("GITHUB_STEP_SUMMARY") is { Length: > 0 } page)
                File.AppendAllText(page, summary);
            if (Environment.GetEnvironmentVariable("GITHUB_ACTIONS") == "true")
                foreach (var f in findings.Where(f => f.Colour == Colour.Red))
                    Console.Error.WriteLine(GitHubLog.Error($"nightly {f.Kind} {f.Key}", $"{f.Verdict}: {f.Reason}"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LutError(
                Exit.Store,
                17,
                "cannot write the night's reports",
                night,
                e.Message,
                "free some space; its Parquet tables are intact"
            );
        }
    }

    private static Command BaselineCommand()
    {
        var command = new Command("baseline", "Baselines of speed, as text in git: list, accept, expire");
        Option<string> folder = BaselineFolder();
        Option<string> device = DeviceOption();
        Option<bool> json = JsonOption();
        var list = new Command("list", "What nights on this hardware are held against. Example: lut baseline list");
        foreach (Option o in new Option[] { folder, device, json })
            list.Options.Add(o);
        list.SetAction(r =>
        {
            var all = Open(r.GetValue(folder)!, r.GetValue(device)!);
            if (r.GetValue(json))
                Output.Json(
                    new
                    {
                        file = all.Path,
                        baselines = all.Rows.Values,
                        exit = 0,
                    }
                );
            else
                Output.Table(
                    ["row", "pinned", "rolling", "band", "accepted", "by", "reason"],
                    all.Rows.Values.Select(b =>
                        new[]
                        {
                            b.Name,
                            Mid(b.Pinned),
                            b.Rolling.Count == 0 ? "" : $"{Mid(b.Rolling)} ({b.Rolling.Count})",
                            b.BandNow.ToString("0.0###", CultureInfo.InvariantCulture),
                            b.Accepted,
                            b.By,
                            b.Reason,
                        }
                    )
                );
            return all.Rows.Count > 0 ? 0 : (int)Exit.NothingSelected;
        });
        command.Subcommands.Add(list);

        var accept = new Command(
            "accept",
            "Make a night's speeds the baseline, and begin new rolling nights. Example: lut baseline accept nights/20261124-021700 --reason \"larger tiles\""
        );
        Argument<string> night = new("night") { Description = "A night's folder" };
        Option<string> reason = new("--reason") { Description = "Why: it is written into the file", Required = true };
        Option<string[]> only = new("--row") { Description = "Only this row (may be repeated)" };
        Option<bool> force = new("--force")
        {
            Description = "Accept a night whose machine was not fit to be timed; the file says so",
        };
        accept.Arguments.Add(night);
        foreach (Option o in new Option[] { reason, only, force, folder, device, json })
            accept.Options.Add(o);
        accept.SetAction(r =>
        {
            // the whole of it alone: what is shown as "before" is what is replaced
            using var alone = Baselines.Take(r.GetValue(folder)!);
            var baselines = Open(r.GetValue(folder)!, r.GetValue(device)!);
            return (int)Accept(
                r.GetValue(night)!,
                r.GetValue(reason)!,
                r.GetValue(only) ?? [],
                r.GetValue(force),
                baselines,
                r.GetValue(json)
            );
        });
        command.Subcommands.Add(accept);

        var expire = new Command(
            "expire",
            "Remove a baseline, for a row that is gone on purpose or after the driver or the clocks' policy changed. Example: lut baseline expire tiny"
        );
        Argument<string> row = new("row") { Description = "A row of the file" };
        expire.Arguments.Add(row);
        foreach (Option o in new Option[] { folder, device, json })
            expire.Options.Add(o);
        expire.SetAction(r =>
        {
            using var alone = Baselines.Take(r.GetValue(folder)!);
            var all = Open(r.GetValue(folder)!, r.GetValue(device)!);
            string name = r.GetValue(row)!;
            if (!all.Remove(name))
                throw new LutError(
                    Exit.NothingSelected,
                    8,
                    $"there is no baseline {name}",
                    all.Path,
                    all.Rows.Count == 0 ? "the file has none" : "it has " + string.Join(", ", all.Rows.Keys),
                    all.Rows.Count == 0 ? "accept a night first" : $"did you mean {Nearest.To(name, all.Rows.Keys)}?"
                );
            all.Write();
            if (r.GetValue(json))
                Output.Json(
                    new
                    {
                        file = all.Path,
                        expired = name,
                        exit = 0,
                    }
                );
            else
                Output.Line($"{name} removed from {all.Path}");
            return 0;
        });
        command.Subcommands.Add(expire);
        return command;
    }

    private static string Mid(IReadOnlyList<double> v) =>
        Performance.Median([.. v]).ToString("g5", CultureInfo.InvariantCulture);

    private static Baselines Open(string folder, string device) =>
        Baselines.Load(folder, Machine.HardwareKey(DeviceCatalog.Of(device, "exact")));

    private static Exit Accept(string night, string reason, string[] only, bool force, Baselines all, bool json)
    {
        var findings = Finding
            .Of(new RunStore(night).Read(Schema.Comparisons))
            .Where(f => f.Kind == "perf" && f.B is not null && (only.Length == 0 || only.Contains(f.Key)))
            .ToList();
        if (findings.Count == 0)
            throw new LutError(
                Exit.NothingSelected,
                9,
                "the night measured no such row",
                night,
                only.Length > 0 ? "asked for " + string.Join(", ", only) : "it has no perf row with a value",
                "name a night of a suite with [perf.NAME]"
            );
        var accepted = new List<(Baseline? Before, Baseline Now)>();
        foreach (var f in findings)
        {
            if (!Suite.IsName(f.Key))
                throw new LutError(
                    Exit.Data,
                    486,
                    $"{f.Key} cannot be a row's name",
                    night,
                    Suite.NameRule,
                    "accept a night that lut wrote, or its other rows with --row"
                );
            var table = new RunStore(Night.ThroughputOf(night, f.Key)).Read(Schema.Throughput).Rows;
            if (table.Count == 0)
                throw new LutError(
                    Exit.Data,
                    487,
                    $"the night has no throughput of {f.Key}",
                    Night.ThroughputOf(night, f.Key),
                    "a baseline is made of the launches' speeds",
                    "accept another night, or its other rows with --row"
                );
            string[] unfit = [.. Performance.Unfit(table)];
            if (unfit.Length > 0 && !force)
                throw new LutError(
                    Exit.Unfit,
                    488,
                    $"the night was not fit to be a baseline: {f.Key}",
                    night,
                    string.Join("; ", unfit),
                    "measure again on an idle machine, or add --force (the file will say so)"
                );
            string why = unfit.Length == 0 ? reason : $"{reason} (forced: {string.Join("; ", unfit)})";
            double[] launches =
            [
                .. table
                    .GroupBy(r => (r.RunId, r.Launch))
                    .Select(g => Performance.Median([.. g.Select(r => r.ImagesPerSecond)])),
            ];
            var now = new Baseline(
                f.Key,
                launches,
                [],
                Performance.BandOf(table),
                table[0].CheckDigest ?? "",
                DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                Environment.UserName,
                f.Commit,
                why
            );
            accepted.Add((all.Rows.GetValueOrDefault(f.Key), now));
            all.Set(now);
        }
        all.Write();
        if (json)
            Output.Json(
                new
                {
                    file = all.Path,
                    accepted = accepted.Select(a => new
                    {
                        row = a.Now.Name,
                        before = a.Before?.Pinned,
                        now = a.Now.Pinned,
                        band = a.Now.Band,
                    }),
                    exit = 0,
                }
            );
        else
        {
            Output.Table(
                ["row", "before", "now", "band"],
                accepted.Select(a =>
                    new[]
                    {
                        a.Now.Name,
                        a.Before is null ? "none" : Mid(a.Before.Pinned),
                        Mid(a.Now.Pinned),
                        a.Now.Band.ToString("0.0###", CultureInfo.InvariantCulture),
                    }
                )
            );
            Output.Line($"written to {all.Path}: commit it");
        }
        return Exit.Ok;
    }

    private static Command BisectCommand()
    {
        var command = new Command(
            "bisect",
            "The first commit whose bits differ: one run a commit decides. Example: lut bisect --good v0.1.0 --bad HEAD"
        );
        Option<string> good = new("--good") { Description = "A commit with the right bits", Required = true };
        Option<string> bad = new("--bad")
        {
            Description = "A later one with others",
            DefaultValueFactory = _ => "HEAD",
        };
        Option<string> repository = new("--repository")
        {
            Description = "The git checkout",
            DefaultValueFactory = _ => ".",
        };
        Option<string> run = new("--command")
        {
            Description =
                "Run by sh in each commit's checkout; what it prints is compared. By default hello@1's digests",
            DefaultValueFactory = _ => Bisect.DefaultCommand,
        };
        Option<bool> quiet = new("--quiet", "-q") { Description = "No progress on standard error" };
        Option<bool> json = JsonOption();
        foreach (Option o in new Option[] { good, bad, repository, run, quiet, json })
            command.Options.Add(o);
        command.SetAction(r =>
        {
            var found = Bisect.Run(
                r.GetValue(repository)!,
                r.GetValue(good)!,
                r.GetValue(bad)!,
                r.GetValue(run)!,
                new Progress(r.GetValue(quiet)).Say
            );
            string verdict =
                $"VERDICT bisect={found.Bad} tried={found.Tried.ToString(CultureInfo.InvariantCulture)} skipped={found.Skipped.Count.ToString(CultureInfo.InvariantCulture)} exit=0";
            if (r.GetValue(json))
                Output.Json(
                    new
                    {
                        verdict,
                        bad = found.Bad,
                        subject = found.Subject,
                        good_digest = found.GoodDigest,
                        bad_digest = found.BadDigest,
                        tried = found.Tried,
                        skipped = found.Skipped,
                        exit = 0,
                    }
                );
            else
            {
                Output.Line($"first commit with other bits: {found.Bad} {Plain.OneLine(found.Subject)}");
                Console.Out.WriteLine(
                    $"before: {Plain.OneLine(found.GoodDigest)}\nfrom it on: {Plain.OneLine(found.BadDigest)}"
                );
                foreach (string s in found.Skipped)
                    Output.Line($"could not be run: {s}");
                Output.Line(verdict);
            }
            return 0;
        });
        return command;
    }
}
