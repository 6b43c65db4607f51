namespace LutNative.Model.Tensors;

/// <summary>Two tensors do not fit together; the message names both shapes.</summary>
public sealed class ShapeException(string message) : Exception(message);
