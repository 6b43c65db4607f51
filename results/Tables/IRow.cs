namespace LutNative.Results;

/// <summary>A row of any table: every one says which run it is of.</summary>
public interface IRow
{
    RunId RunId { get; }
}
