namespace LutNative.Model.Networks;

/// <summary>Losses of one step, means over its BN batches.</summary>
public readonly record struct PretrainLoss(float Total, float Mae, float Context);
