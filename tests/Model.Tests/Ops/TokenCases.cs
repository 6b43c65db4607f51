using LutNative.Model.Ops;

namespace LutNative.Model.Tests.Ops;

/// <summary>Images into patches, patches into sequences, sequences into means.</summary>
internal static class TokenCases
{
    internal static void AddTo(Dictionary<string, Action<OpBench>> cases)
    {
        foreach (var (s, size, patch, channels) in new[] { (1, 4, 4, 1), (3, 12, 4, 3), (2, 10, 5, 2) })
        {
            var grid = new PatchGrid(size, patch, channels);
            int[] index =
            [
                .. Enumerable
                    .Range(0, s)
                    .SelectMany(i => OpBench.Shuffled(grid.Patches, 9 + i).Take((grid.Patches + 1) / 2)),
            ];
            cases[$"PatchifyEmbed {s} {size}/{patch} {channels}"] = b =>
                Patchify.Embed(
                    b.Device,
                    b.Out("columns", index.Length, grid.PatchFloats),
                    b.In(s, grid.ImageFloats),
                    index,
                    grid
                );
            cases[$"PatchifyTarget {s} {size}/{patch} {channels}"] = b =>
                Patchify.Target(
                    b.Device,
                    b.Out("target", s * grid.Patches, grid.PatchFloats),
                    b.In(s, grid.ImageFloats),
                    grid
                );
        }
        // several leaves at once
        foreach (int l in new[] { 2, 4 })
        {
            int[] restore = [.. Enumerable.Range(0, 2 * l).SelectMany(i => OpBench.Shuffled(9, i))];
            int[] index = [.. Enumerable.Range(0, 2 * l).SelectMany(i => OpBench.Shuffled(9, 50 + i).Take(3))];
            cases[$"TokensEmbedBackward {l} leaves"] = b =>
                Tokens.EmbedBackward(
                    b.Device,
                    b.Out("dPatches", l * 6, 21),
                    b.Out("dCls", l, 21),
                    b.Out("dPos", l * 10, 21),
                    b.In(l * 8, 21),
                    index
                );
            cases[$"TokensRestoreBackward {l} leaves"] = b =>
                Tokens.RestoreBackward(
                    b.Device,
                    b.Out("dy", l * 8, 21),
                    b.Out("dMask", l, 21),
                    b.In(l * 20, 21),
                    restore,
                    3
                );
        }
        foreach (var (s, patches, kept, d) in new[] { (1, 4, 1, 5), (3, 16, 4, 24), (2, 9, 8, 33) })
        {
            int[] restore = [.. Enumerable.Range(0, s).SelectMany(i => OpBench.Shuffled(patches, i))];
            int[] index = [.. Enumerable.Range(0, s).SelectMany(i => OpBench.Shuffled(patches, 50 + i).Take(kept))];
            cases[$"TokensEmbed {s} {kept}/{patches} {d}"] = b =>
                Tokens.Embed(
                    b.Device,
                    b.Out("x", s * (kept + 1), d),
                    b.In(s * kept, d),
                    b.In(1, d),
                    b.In(patches + 1, d),
                    index
                );
            cases[$"TokensEmbedBackward {s} {kept}/{patches} {d}"] = b =>
                Tokens.EmbedBackward(
                    b.Device,
                    b.Out("dPatches", s * kept, d),
                    b.Out("dCls", 1, d),
                    b.Out("dPos", patches + 1, d),
                    b.In(s * (kept + 1), d),
                    index
                );
            cases[$"TokensRestore {s} {kept}/{patches} {d}"] = b =>
                Tokens.Restore(
                    b.Device,
                    b.Out("z", s * (patches + 1), d),
                    b.In(s * (kept + 1), d),
                    b.In(1, d),
                    b.In(patches + 1, d),
                    restore,
                    kept
                );
            cases[$"TokensRestoreBackward {s} {kept}/{patches} {d}"] = b =>
                Tokens.RestoreBackward(
                    b.Device,
                    b.Out("dy", s * (kept + 1), d),
                    b.Out("dMask", 1, d),
                    b.In(s * (patches + 1), d),
                    restore,
                    kept
                );
            cases[$"PoolForward {s} {patches} {d}"] = b =>
                Pooling.Forward(b.Device, b.Out("y", s, d), b.In(s * (patches + 1), d));
            cases[$"PoolBackward {s} {patches} {d}"] = b =>
                Pooling.Backward(b.Device, b.Out("dx", s * (patches + 1), d), b.In(s, d));
        }
    }
}
