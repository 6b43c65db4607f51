using System.Globalization;
using LutNative.Harness.Errors;
using LutNative.Model.Diagnosis;
using LutNative.Model.Ops;
using LutNative.Results;

namespace LutNative.Harness.Training;

/// <summary>
/// A fault to plant in one step of a stage, for drills: the run is marked +injected, and `compare` and `trace` must
/// find it.
/// </summary>
public abstract record Fault(string Stage, long Step)
{
    private static readonly string[] Keys = ["stage", "step", "state", "tensor", "element", "bit", "op", "variant"];

    /// <summary>`step=7,tensor=blocks.0.mlp.fc1.weight,bit=12` or `step=7,op=GemmNt,variant=order`.</summary>
    public static Fault Parse(string text)
    {
        LutError Bad(
            string why,
            string fix =
                "for example --inject step=7,tensor=blocks.0.mlp.fc1.weight,bit=12 (also stage=, state= "
                + "and element=), or --inject step=7,op=GemmNt,variant=order"
        ) => FaultErrors.Unreadable(text, why, fix);
        var parts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string part in text.Split(','))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || !Keys.Contains(part[..equals]))
                throw Bad($"{part} is not a known key with a value; keys are {string.Join(", ", Keys)}");
            parts[part[..equals]] = part[(equals + 1)..];
        }
        long Number(string key, long most, long? otherwise = null)
        {
            if (!parts.TryGetValue(key, out string? v) && otherwise is { } o)
                return o;
            bool is64 = long.TryParse(v, NumberStyles.None, CultureInfo.InvariantCulture, out long n);
            return is64 && n <= most
                ? n
                : throw Bad(FormattableString.Invariant($"{key} must be a number from 0 to {most}"));
        }
        string stage = parts.GetValueOrDefault("stage", StageId.Pretrain.Name);
        long step = Number("step", long.MaxValue);
        if (!parts.TryGetValue("op", out string? op))
            return new BitFlip(
                stage,
                step,
                parts.GetValueOrDefault("state", "student"),
                parts.GetValueOrDefault("tensor") ?? throw Bad("tensor is missing"),
                Number("element", int.MaxValue, 0),
                (int)Number("bit", 31)
            );
        string[] names = Enum.GetNames<OpId>();
        if (!names.Contains(op))
            throw Bad($"there is no operation {op}", $"did you mean {Nearest.To(op, names)}?");
        var id = Enum.Parse<OpId>(op);
        string word = parts.GetValueOrDefault("variant") ?? throw Bad("variant is missing");
        string[] known =
        [
            .. WrongArithmetic.Words.Where(w => WrongArithmetic.Of(id).Contains(w.Value)).Select(w => w.Key),
        ];
        if (!known.Contains(word))
            throw Bad(
                $"{op} has no variant {word}; it has {string.Join(", ", known)}",
                $"did you mean {Nearest.To(word, known)}?"
            );
        return new WrongOperation(stage, step, id, WrongArithmetic.Words[word]);
    }
}

/// <summary>One bit of one element flips after the step.</summary>
/// <param name="State">student, exp_avg, exp_avg_sq, teacher.</param>
public sealed record BitFlip(string Stage, long Step, string State, string Tensor, long Element, int Bit)
    : Fault(Stage, Step);

/// <summary>One kind of operation is computed in another way during the step.</summary>
public sealed record WrongOperation(string Stage, long Step, OpId Op, Variant How) : Fault(Stage, Step);
