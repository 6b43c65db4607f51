using System.Reflection;
using LutNative.Model.Ops;

namespace LutNative.Model.Tests.Ops;

/// <summary>What a new operation must have, by name.</summary>
public class OpInventoryTests
{
    private static OpId IdOf<TOp>()
        where TOp : struct, IOperation, allows ref struct => TOp.Id;

    [Fact]
    public void EveryOperationHasCases()
    {
        string[] missing = [.. Enum.GetNames<OpId>().Where(o => !OpTests.Cases.Keys.Any(c => c.Split(' ')[0] == o))];
        Assert.True(missing.Length == 0, "operations without a case in tests/Ops: " + string.Join(", ", missing));
    }

    /// <summary>A device runs nothing that has no name, so a trace sees every operation.</summary>
    [Fact]
    public void EveryNameIsOneOperationOfThatName()
    {
        var idOf = typeof(OpInventoryTests).GetMethod(nameof(IdOf), BindingFlags.NonPublic | BindingFlags.Static)!;
        var operations = typeof(IOperation)
            .Assembly.GetTypes()
            .Where(t => t.IsValueType && t.GetInterfaces().Contains(typeof(IOperation)))
            .Select(t => (Id: idOf.MakeGenericMethod(t).CreateDelegate<Func<OpId>>()(), t.Name));
        Assert.Equal(Enum.GetValues<OpId>().Select(id => (id, $"{id}Op")), operations.OrderBy(o => o.Id));
    }

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
