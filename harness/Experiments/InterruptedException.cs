namespace LutNative.Harness.Experiments;

/// <summary>The run stopped at a checkpoint because it was asked to; it can be resumed.</summary>
public sealed class InterruptedException(string message) : Exception(message);
