namespace LutNative.Model.Checkpoints;

/// <summary>A repository that was cloned without Git LFS has a few lines of text in place of each large file.</summary>
internal static class GitLfs
{
    internal static bool IsPointer(TensorFile file)
    {
        ReadOnlySpan<byte> begin = "version https://git-lfs.github.com/spec/"u8;
        return file.Length >= begin.Length && file.Bytes(0, begin.Length).AsSpan().SequenceEqual(begin);
    }

    internal static CheckpointException Refusal(TensorFile file) =>
        new(
            $"{file.Path} is a Git LFS pointer, the content was not downloaded; run `git lfs pull` in its "
                + "repository, or download the file itself"
        );
}
