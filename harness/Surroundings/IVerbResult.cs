using LutNative.Harness.Errors;

namespace LutNative.Harness.Surroundings;

/// <summary>
/// What a verb found, stated once: the public properties of the record are the fields of the object that `--json`
/// prints, in this order and in snake_case, and the verb's text is made from the same record. What only the text needs
/// is internal.
/// </summary>
internal interface IVerbResult
{
    /// <summary>How the verb ends. A record that declares it has it as a field too; the others have none.</summary>
    Exit Exit => Exit.Ok;
}
