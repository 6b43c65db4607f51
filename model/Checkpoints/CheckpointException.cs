namespace LutNative.Model.Checkpoints;

/// <summary>
/// A file is not what it claims to be, or not what is needed; the message says what, where, why and what to do.
/// </summary>
public class CheckpointException(string message) : ModelException(ModelFault.Checkpoint, message);

/// <summary>The system could not open or read a file: that says nothing about what is in it.</summary>
public sealed class UnreadableCheckpointException(string path, Exception cause)
    : CheckpointException($"cannot read {path}: {cause.Message}");
