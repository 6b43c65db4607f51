namespace LutNative.Harness.Errors;

/// <summary>A fault that --inject asks for cannot be planted. Nothing was started.</summary>
internal static class FaultErrors
{
    internal static LutError NoState(string stage, string name, IEnumerable<string> known) =>
        new(
            Exit.Usage,
            27,
            $"{stage} has no state {name}",
            "--inject",
            "states are " + string.Join(", ", known),
            $"did you mean {Nearest.To(name, known)}?"
        );

    internal static LutError NoTensor(string name, IEnumerable<string> known) =>
        new(
            Exit.Usage,
            28,
            $"the network has no tensor {name}",
            "--inject",
            "tensors have the names of the checkpoint",
            $"did you mean {Nearest.To(name, known)}?"
        );

    internal static LutError NoElement(string tensor, long count, long element) =>
        new(
            Exit.Usage,
            29,
            $"{tensor} has {count} elements",
            "--inject",
            $"there is no element {element}",
            "count from 0"
        );

    internal static LutError Unreadable(string text, string why, string fix) =>
        new(Exit.Usage, 30, "the fault cannot be read", "--inject " + text, why, fix);
}
