using System.CommandLine;
using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Harness.Surroundings;
using LutNative.Model.Checkpoints;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <summary>convert: a foreign checkpoint to safetensors with plain names.</summary>
internal static class ConvertCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "convert",
            "Read weights from .pth, .pt or .safetensors (nothing in the file is run) and write safetensors that timm and PyTorch load. Example: lut convert mae_pretrain_vit_base.pth mae.safetensors"
        );
        Argument<string> from = new("from") { Description = "A file of torch.save (zip format), or safetensors" };
        Argument<string?> to = new("to")
        {
            Description = "The .safetensors to write; without it the tensors are listed",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<string> which = new("--which")
        {
            Description =
                "Which set of a file that holds several: model, model_ema, state_dict, ...; by default the student's",
            DefaultValueFactory = _ => "",
        };
        Option<bool> json = new("--json") { Description = "Print the result as one JSON object" };
        command.Arguments.Add(from);
        command.Arguments.Add(to);
        command.Options.Add(which);
        command.Options.Add(json);
        command.SetAction(r => Execute(r.GetValue(from)!, r.GetValue(to), r.GetValue(which)!, r.GetValue(json)));
        return command;
    }

    private static int Execute(string from, string? to, string which, bool json)
    {
        using var set = WeightSet.Open(from, which);
        var tensors = WeightWriter.Writable(set);
        // a tensor that repeats its values may claim any number of them
        var count = tensors.Aggregate(default(Int128), (sum, t) => sum + t.Count);
        if (to is not null)
            try
            {
                var metadata = new Dictionary<string, string>
                {
                    ["lut.converted_from"] = Path.GetFileName(from),
                    ["lut.writer"] = "lut " + LutVersion.Text,
                };
                WholeFile.Write(to, stream => WeightWriter.Write(stream, set, metadata));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new LutError(
                    Exit.Store,
                    11,
                    $"cannot write {to}",
                    Path.GetFullPath(to),
                    e.Message,
                    "free some space or choose another place; nothing half-written is left under that name"
                );
            }
        string[] left = [.. set.Tensors.Values.Except(tensors).Select(t => $"{t.Name} ({t.Type})")];
        if (json)
            Output.Json(
                new
                {
                    from,
                    to,
                    set = set.Prefix.TrimEnd('.'),
                    sets = set.Sets.Select(s => s.TrimEnd('.')),
                    tensors = tensors.Select(t => new
                    {
                        name = t.Name,
                        dtype = t.Type,
                        shape = t.Shape,
                    }),
                    not_read = left,
                    beside = set.Beside,
                    exit = 0,
                }
            );
        else
        {
            if (to is null)
                Output.Table(
                    ["tensor", "type", "shape"],
                    tensors.Select(t => new[] { t.Name, t.Type, string.Join(" x ", t.Shape) })
                );
            if (set.Choice is { } choice)
                Console.Out.WriteLine(choice);
            if (left.Length > 0)
                Console.Out.WriteLine("not read: " + WeightLoader.Names(left));
            if (set.Beside.Count > 0)
                Console.Out.WriteLine(
                    "objects beside the weights were not read: " + string.Join(", ", set.Beside.Take(8))
                );
            Console.Out.WriteLine(
                $"{tensors.Count} tensors, {count.ToString("n0", CultureInfo.InvariantCulture)} values{(to is null ? "" : $", written to {to}")}"
            );
        }
        return 0;
    }
}
