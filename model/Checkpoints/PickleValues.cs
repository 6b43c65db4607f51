namespace LutNative.Model.Checkpoints;

/// <summary>A class or function that a pickle names. Nothing of it is ever looked up or run: it is a label.</summary>
public sealed record PickleGlobal(string Module, string Name)
{
    public override string ToString() => Module + "." + Name;
}

/// <summary>What REDUCE and NEWOBJ made of a class that is read as data: its arguments.</summary>
public sealed class PickleObject(PickleGlobal type, object?[] arguments)
{
    public PickleGlobal Type { get; } = type;
    public object?[] Arguments { get; } = arguments;
}

/// <summary>An object of any other class. It was not made and what it would be made from was dropped.</summary>
/// <param name="HoldsTensor">Among its arguments was a tensor or a storage.</param>
public sealed record PickleOpaque(PickleGlobal Type, bool HoldsTensor);

/// <summary>
/// A persistent id: in PyTorch's files a storage. No record: ids may be nested a million deep, and a record's own
/// methods would follow them.
/// </summary>
public sealed class PicklePersistent(object? id)
{
    public object? Id { get; } = id;
}
