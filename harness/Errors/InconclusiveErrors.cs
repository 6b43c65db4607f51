namespace LutNative.Harness.Errors;

/// <summary>What was given cannot be compared, so that there is no verdict.</summary>
internal static class InconclusiveErrors
{
    internal static LutError NoContract(string contract) =>
        new(
            Exit.Inconclusive,
            2,
            "these runs do not keep the contract",
            $"contract {contract}",
            "their bits belong to one GPU model and its libraries, and no other machine can say which is right",
            "trace runs of --math exact"
        );

    internal static LutError RunDoesNotCount(string folder, string why) =>
        new(
            Exit.Inconclusive,
            10,
            "a run does not count for this claim",
            folder,
            why,
            "give unmodified runs of the claim's protocol, whole and evaluated once on every image"
        );

    internal static LutError SeedTwice(long seed, string protocol, IEnumerable<string> runs) =>
        new(
            Exit.Inconclusive,
            11,
            $"seed {seed} of {protocol} is given twice",
            string.Join(", ", runs),
            "the same protocol and seed are the same bits, so a second run adds nothing",
            "give runs of different seeds"
        );

    internal static LutError SeveralProtocols(IEnumerable<string> protocols) =>
        new(
            Exit.Inconclusive,
            12,
            "the runs are of several protocols",
            string.Join(", ", protocols),
            "their spread would be mixed with the difference between them",
            "verify each protocol's runs apart"
        );

    internal static LutError OtherRunsFolder(string folder, string difference, string fix) =>
        new(Exit.Inconclusive, 400, "the folder belongs to another run", folder, difference, fix);

    internal static LutError OtherWeights(string file, string recorded, string loaded) =>
        new(
            Exit.Inconclusive,
            401,
            "these are not the weights that the runs began with",
            file,
            $"the runs recorded {recorded}, the file's weights have {loaded}",
            "name the file that the runs were given"
        );
}
