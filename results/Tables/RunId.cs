namespace LutNative.Results;

/// <summary>Which run (or benchmark, or comparison) a row is of: a UUIDv7 where lut made it.</summary>
public readonly record struct RunId(string Text)
{
    public static RunId New() => new(Guid.CreateVersion7().ToString());

    public override string ToString() => Text;
}
