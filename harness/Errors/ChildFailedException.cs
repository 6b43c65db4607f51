namespace LutNative.Harness.Errors;

/// <summary>A process that measured for this one failed and has said why: its exit code is ours.</summary>
internal sealed class ChildFailedException(Exit exit, string message) : Exception(message)
{
    internal Exit Exit { get; } = exit;
}
