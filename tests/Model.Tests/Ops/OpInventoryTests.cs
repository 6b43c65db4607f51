using LutNative.Model.Ops;

namespace LutNative.Model.Tests.Ops;

/// <summary>What a new operation must have, by name.</summary>
public class OpInventoryTests
{
    private static readonly Dictionary<OpId, Type> Operations = typeof(IOperation)
        .Assembly.GetTypes()
        .Where(t => t.IsValueType && t.GetInterfaces().Contains(typeof(IOperation)))
        .ToDictionary(t => (OpId)t.GetProperty(nameof(IOperation.Id))!.GetValue(null)!);

    [Fact]
    public void EveryOperationHasCases()
    {
        string[] missing = [.. Enum.GetNames<OpId>().Where(o => !OpTests.Cases.Keys.Any(c => c.Split(' ')[0] == o))];
        Assert.True(missing.Length == 0, "operations without a case in tests/Ops: " + string.Join(", ", missing));
    }

    /// <summary>A device runs nothing that has no name, so a trace sees every operation.</summary>
    [Fact]
    public void EveryNameIsOneOperationOfThatName() =>
        Assert.Equal(
            Enum.GetValues<OpId>().Select(id => (id, $"{id}Op")),
            Operations.OrderBy(o => o.Key).Select(o => (o.Key, o.Value.Name))
        );

    [Fact]
    public void WhatIsCalledBackwardIsOfTheBackwardPhase()
    {
        foreach (var id in Enum.GetValues<OpId>())
        {
            Assert.Contains(id.Phase, new[] { "forward", "backward", "optimizer" });
            if (id.ToString().EndsWith("Backward", StringComparison.Ordinal))
                Assert.Equal("backward", id.Phase);
        }
    }
}
