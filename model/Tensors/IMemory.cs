using LutNative.Model.Numerics;

namespace LutNative.Model.Tensors;

/// <summary>
/// The memory that tensors lie in: the host's, or a device's, which the host reaches by these alone.
/// </summary>
public interface IMemory
{
    /// <summary>Whether the host may read and write tensors in place.</summary>
    bool OnHost { get; }

    /// <summary>
    /// to = from, on the host before the call returns or after everything queued so far, which cannot be told apart.
    /// </summary>
    void Write(Mat to, ReadOnlySpan<float> from);

    /// <summary>Waits for what computes from, and copies it.</summary>
    void Read(Span<float> to, Mat from);

    /// <summary>to = from, both of this memory.</summary>
    void Copy(Mat to, Mat from);

    /// <summary>Every element of x becomes +0.</summary>
    void Clear(Mat x);

    /// <summary>The digest of a tensor (docs/NUMERICS.md rule 13).</summary>
    Digest DigestOf(Mat x);
}

/// <summary>The host's memory, which every CPU device computes in.</summary>
public sealed unsafe class HostMemory : IMemory
{
    private HostMemory() { }

    public static HostMemory Instance { get; } = new();

    public bool OnHost => true;

    public void Write(Mat to, ReadOnlySpan<float> from) => from.CopyTo(to.Span);

    public void Read(Span<float> to, Mat from) => from.Span.CopyTo(to);

    public void Copy(Mat to, Mat from) => from.Span.CopyTo(to.Span);

    public void Clear(Mat x) =>
        System.Runtime.InteropServices.NativeMemory.Clear(x.Data, (nuint)(x.Count * sizeof(float)));

    public Digest DigestOf(Mat x) => Digest.Of(x.Data, x.Count);
}
