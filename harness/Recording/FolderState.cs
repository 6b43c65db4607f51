using LutNative.Harness.Errors;

namespace LutNative.Harness.Recording;

/// <summary>What a folder is to a run that wants it.</summary>
public abstract record FolderState
{
    private FolderState() { }

    /// <summary>
    /// Nothing of the run is on the disk yet, or nothing that it could go on from: it starts at step 0.
    /// </summary>
    public sealed record New(RunFolder Folder) : FolderState;

    /// <summary>It goes on from a checkpoint that was read.</summary>
    /// <param name="RunId">The interrupted run's.</param>
    /// <param name="Resumes">How often it was resumed before.</param>
    public sealed record ResumeAt(RunFolder Folder, CheckpointPlace Place, string RunId, int Resumes) : FolderState;

    /// <summary>It is not this run's, or cannot be gone on with; nothing was touched.</summary>
    public sealed record Refused(LutError Reason) : FolderState;
}
