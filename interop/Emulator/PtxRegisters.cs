namespace LutNative.Interop.Emulator;

/// <summary>Where a kernel's registers, constants and special registers lie in a warp's register file.</summary>
internal sealed class PtxRegisters(PtxKernel kernel)
{
    /// <param name="Place">Bytes into the register file, or a predicate's number.</param>
    internal readonly record struct Register(bool Predicate, bool Wide, int Place);

    private readonly Dictionary<string, Register> known = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (bool Predicate, bool Wide)> families = new(StringComparer.Ordinal);
    private readonly Dictionary<(bool Wide, ulong Value), int> constants = [];
    private int spare = -1;

    /// <param name="alone">One register, not a family: in an inner scope it is a new one.</param>
    internal void Declare(string stem, bool predicate, bool wide, bool alone)
    {
        families[stem] = (predicate, wide);
        if (alone)
            known.Remove(stem);
    }

    internal bool Knows(string name) => known.ContainsKey(name) || families.ContainsKey(Stem(name));

    /// <summary>A declared register, given its place when it is first named; null for any other.</summary>
    internal Register? Find(string name)
    {
        if (known.TryGetValue(name, out var register))
            return register;
        if (!families.TryGetValue(Stem(name), out var family))
            return null;
        int place = family.Predicate ? kernel.Predicates++ : Allocate(family.Wide);
        return known[name] = new Register(family.Predicate, family.Wide, place);
    }

    /// <summary>A place for results that nobody reads.</summary>
    internal int Spare() => spare >= 0 ? spare : spare = Allocate(true);

    internal int Constant(bool wide, ulong value)
    {
        if (constants.TryGetValue((wide, value), out int place))
            return place;
        place = constants[(wide, value)] = Allocate(wide);
        kernel.Constants.Add((place, wide, value));
        return place;
    }

    internal int ConstantPredicate(bool value)
    {
        kernel.ConstantPredicates.Add((kernel.Predicates, value));
        return kernel.Predicates++;
    }

    internal int Special(string name)
    {
        if (!kernel.Specials.TryGetValue(name, out int place))
            kernel.Specials[name] = place = Allocate(false);
        return place;
    }

    /// <summary>%rd12 is of the family %rd; a register declared alone is its own family.</summary>
    private string Stem(string name) =>
        families.ContainsKey(name) ? name : name.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9');

    /// <summary>32 lanes of 4 or 8 bytes.</summary>
    private int Allocate(bool wide)
    {
        int place = kernel.RegisterBytes;
        kernel.RegisterBytes += wide ? 256 : 128;
        return place;
    }
}
