namespace LutNative.Model.Checkpoints;

/// <summary>What a reading of a whole checkpoint showed.</summary>
/// <param name="DamagedTensor">The first, by name, whose bits are not those that were written.</param>
/// <param name="Damage">What is wrong with it; null when it is whole.</param>
public sealed record CheckpointProof(string Sha256, string? DamagedTensor, string? Damage);
