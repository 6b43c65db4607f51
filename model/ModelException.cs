namespace LutNative.Model;

/// <summary>Why a network cannot be computed, here or at all.</summary>
public enum ModelFault
{
    /// <summary>Two tensors do not fit together.</summary>
    Shape,

    /// <summary>The machine cannot keep the contract (NUMERICS rule 1).</summary>
    Machine,

    /// <summary>A file of weights is not what it claims to be, or not what is needed.</summary>
    Checkpoint,
}

/// <summary>The model cannot go on; the message says why. Whoever tells a user has a word for each fault.</summary>
/// <param name="where">When or in what it was seen, where that is not in the message.</param>
public abstract class ModelException(ModelFault fault, string message, string where = "") : Exception(message)
{
    public ModelFault Fault { get; } = fault;
    public string Where { get; } = where;
}
