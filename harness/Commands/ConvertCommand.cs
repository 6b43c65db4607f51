using System.CommandLine;
using LutNative.Harness.Errors;
using LutNative.Harness.Recording;
using LutNative.Harness.Surroundings;
using LutNative.Model.Checkpoints;
using LutNative.Results;

namespace LutNative.Harness.Commands;

/// <param name="Dtype">As safetensors names it: F32, BF16, ...</param>
internal sealed record ConvertedTensor(string Name, string Dtype, IReadOnlyList<long> Shape);

/// <param name="To">The file that was written; null when the tensors are only listed.</param>
/// <param name="Set">The set of weights that was read, of <paramref name="Sets"/>.</param>
/// <param name="NotRead">Tensors of a type that has no place in the file.</param>
/// <param name="Beside">Objects beside the weights, which are not read.</param>
internal sealed record ConvertResult(
    string From,
    string? To,
    string Set,
    IReadOnlyList<string> Sets,
    IReadOnlyList<ConvertedTensor> Tensors,
    IReadOnlyList<string> NotRead,
    IReadOnlyList<string> Beside,
    Exit Exit
) : IVerbResult
{
    private const int MostBeside = 8;

    /// <summary>Why this set, where there was a choice.</summary>
    internal required string? Choice { get; init; }

    /// <summary>Of all tensors; one that repeats its values may claim any number of them.</summary>
    internal required Int128 Values { get; init; }

    internal static void Text(ConvertResult found)
    {
        if (found.To is null)
            Output.Table(
                ["tensor", "type", "shape"],
                found.Tensors.Select(t => new[] { t.Name, t.Dtype, string.Join(" x ", t.Shape) })
            );
        if (found.Choice is { } choice)
            Output.Line(choice);
        if (found.NotRead.Count > 0)
            Output.Line("not read: " + WeightLoader.Names(found.NotRead));
        if (found.Beside.Count > 0)
            Output.Line(
                "objects beside the weights were not read: " + string.Join(", ", found.Beside.Take(MostBeside))
            );
        string written = found.To is null ? "" : $", written to {found.To}";
        Output.Line($"{found.Tensors.Count} tensors, {found.Values.Text("n0")} values{written}");
    }
}

/// <summary>convert: a foreign checkpoint to safetensors with plain names.</summary>
internal static class ConvertCommand
{
    internal static Command Build()
    {
        var command = new Command(
            "convert",
            "Read weights from .pth, .pt or .safetensors (nothing in the file is run) and write safetensors "
                + "that timm and PyTorch load. Example: lut convert mae_pretrain_vit_base.pth mae.safetensors"
        );
        var from = command.Argument<string>("from", "A file of torch.save (zip format), or safetensors");
        var to = command.Argument<string?>(
            "to",
            "The .safetensors to write; without it the tensors are listed",
            ArgumentArity.ZeroOrOne
        );
        var which = command.Which(
            "Which set of a file that holds several: model, model_ema, state_dict, ...; by default the student's"
        );
        var json = command.Json();
        command.SetAction(r =>
            Output.Print(
                Convert(r.GetValue(from)!, r.GetValue(to), r.GetValue(which)!),
                r.GetValue(json),
                ConvertResult.Text
            )
        );
        return command;
    }

    private static ConvertResult Convert(string from, string? to, string which)
    {
        using var set = WeightSet.Open(from, which);
        var tensors = WeightWriter.Writable(set);
        if (to is not null)
            Write(to, set, from);
        return new ConvertResult(
            from,
            to,
            set.Prefix.TrimEnd('.'),
            [.. set.Sets.Select(s => s.TrimEnd('.'))],
            [.. tensors.Select(t => new ConvertedTensor(t.Name, t.Type, t.Shape))],
            [.. set.Tensors.Values.Except(tensors).Select(t => $"{t.Name} ({t.Type})")],
            set.Beside,
            Exit.Ok
        )
        {
            Choice = set.Choice,
            Values = tensors.Aggregate(default(Int128), (sum, t) => sum + t.Count),
        };
    }

    private static void Write(string to, WeightSet set, string from)
    {
        try
        {
            var metadata = new Dictionary<string, string>
            {
                ["lut.converted_from"] = Path.GetFileName(from),
                [RunIdentity.WriterKey] = LutVersion.Writer,
            };
            WholeFile.Write(to, stream => WeightWriter.Write(stream, set, metadata));
        }
        catch (Exception e) when (Files.Failed(e))
        {
            throw StoreErrors.CannotConvert(to, e.Message);
        }
    }
}
