using System.Diagnostics;
using System.Security.Cryptography;
using LutNative.Interop.Emulator;

namespace LutNative.Interop.Tests;

/// <summary>Kernel sources, PTX and manifest agree, and the PTX is made of what the contract allows.</summary>
public class NativeTests
{
    public static string Folder { get; } = Path.Combine(Root(), "native");

    public static TheoryData<string> Modules() =>
        [
            .. Directory
                .GetFiles(Path.Combine(Folder, "ptx"))
                .Order(StringComparer.Ordinal)
                .Select(f => Path.GetFileName(f)),
        ];

    internal static string Read(string module) => File.ReadAllText(Path.Combine(Folder, "ptx", module));

    [Fact]
    public void TheManifestNamesEveryFileAndItsHash()
    {
        var lines = File.ReadAllLines(Path.Combine(Folder, "manifest.sha256"))
            .Where(l => l[0] != '#')
            .ToDictionary(l => l[66..], l => l[..64]);
        string[] files =
        [
            .. new[] { "include", "kernels", "ptx" }
                .SelectMany(d => Directory.GetFiles(Path.Combine(Folder, d)).Select(f => $"{d}/{Path.GetFileName(f)}"))
                .Order(StringComparer.Ordinal),
        ];
        Assert.Equal(files, lines.Keys.Order(StringComparer.Ordinal));
        foreach (string f in files)
            Assert.True(
                Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(Folder, f)))) == lines[f],
                $"native/{f} is not what the manifest was made of: run ./build.sh ptx"
            );
    }

    [Fact]
    public void TheSameCompilerGivesTheSameBytes()
    {
        string compiler = File.ReadAllLines(Path.Combine(Folder, "manifest.sha256"))[0]["# compiler ".Length..];
        Assert.SkipUnless(
            Run("clang++-19", "--version") is { } version && version.Split('\n')[0] == compiler,
            $"'{compiler}' is not on this machine"
        );
        string made = Directory.CreateTempSubdirectory("ptx").FullName;
        try
        {
            Assert.NotNull(Run("bash", Path.Combine(Folder, "build.sh"), made));
            foreach (string f in Directory.GetFiles(made))
                Assert.True(
                    File.ReadAllBytes(f)
                        .AsSpan()
                        .SequenceEqual(File.ReadAllBytes(Path.Combine(Folder, "ptx", Path.GetFileName(f)))),
                    $"{Path.GetFileName(f)} differs from the committed one"
                );
        }
        finally
        {
            Directory.Delete(made, recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Modules))]
    public void OnlyAllowedOpcodesAndNoLocalMemory(string module)
    {
        string ptx = Read(module);
        var parsed = PtxParser.Parse(module, ptx);
        Assert.NotEmpty(parsed.Kernels);
        Assert.Equal(("7.0", "sm_80"), (parsed.Version, parsed.Target));
        Assert.DoesNotContain(".local", ptx);
        Assert.DoesNotContain("call", ptx);
        foreach (var k in parsed.Kernels.Values)
            Assert.InRange(k.SharedBytes, 0, 48 << 10);
    }

    /// <summary>
    /// docs/NUMERICS.md rule 12: tensor cores and halves belong to --math run-to-run, whose modules have a name of
    /// their own.
    /// </summary>
    [Theory]
    [MemberData(nameof(Modules))]
    public void TensorCoresStayOutOfTheExactModules(string module)
    {
        var outside = PtxParser
            .Parse(module, Read(module))
            .Kernels.Values.SelectMany(k => k.Opcodes.Keys)
            .Where(o => o.StartsWith("mma", StringComparison.Ordinal) || o.Contains("16", StringComparison.Ordinal))
            .Distinct();
        Assert.Equal(module.StartsWith("bf16_", StringComparison.Ordinal), outside.Any());
    }

    [Theory]
    [InlineData("add.rn.f32", "add.f32")]
    [InlineData("add.rn.f32", "add.rn.ftz.f32")]
    [InlineData("div.rn.f32", "div.approx.f32")]
    [InlineData("sqrt.rn.f32", "sqrt.approx.f32")]
    [InlineData("fma.rn.f32", "fma.rz.f32")]
    [InlineData("atom.global.add.u64", "atom.global.add.f32")]
    [InlineData("fma.rn.f64", "ex2.approx.f64")]
    public void APlantedOpcodeIsRefusedWithItsLine(string from, string to)
    {
        string module = Modules()
            .Select(m => m.Data)
            .First(m =>
                Read(m).Contains(from + " ", StringComparison.Ordinal)
                || Read(m).Contains(from + "\t", StringComparison.Ordinal)
            );
        string ptx = Read(module);
        int at = ptx.IndexOf(from, StringComparison.Ordinal);
        var e = Assert.Throws<PtxException>(() => PtxParser.Parse(module, ptx[..at] + to + ptx[(at + from.Length)..]));
        Assert.Contains($"'{to}'", e.Message);
        Assert.Contains($"{module}:{ptx[..at].Count(c => c == '\n') + 1}:", e.Message);
    }

    /// <summary>
    /// A damaged PTX text is refused or read, never anything else: words and characters are dropped, doubled, swapped,
    /// cut.
    /// </summary>
    [Fact]
    public void DamagedPtxIsRefusedAsSuch()
    {
        var random = new Random(5);
        foreach (string module in new[] { "losses.ptx", "digest.ptx", "bf16_cast.ptx", "softmax.ptx" })
        {
            string ptx = Read(module);
            for (int i = 0; i < 500; i++)
            {
                int at = random.Next(ptx.Length - 60);
                int n = 1 + random.Next(40);
                int to = random.Next(ptx.Length - 60);
                string damaged = (i % 5) switch
                {
                    0 => ptx.Remove(at, n),
                    1 => ptx.Insert(to, ptx.Substring(at, n)),
                    2 => ptx[..at],
                    3 => ptx[..at] + (char)random.Next(32, 127) + ptx[(at + 1)..],
                    _ => ptx.Remove(at, n).Insert(Math.Min(to, at), ptx.Substring(at, n)),
                };
                try
                {
                    PtxParser.Parse(module, damaged);
                }
                catch (PtxException)
                {
                    // as it should be
                }
            }
        }
    }

    /// <summary>
    /// The inner loop as designed: for 16 steps of k, TM*TN fused multiply-adds a step, all fragments read 16 bytes at
    /// a time; global tiles too.
    /// </summary>
    [Theory]
    [InlineData("128x128", 8, 8)]
    [InlineData("128x64", 8, 8)]
    [InlineData("64x64", 8, 4)]
    public void ProductsReadSixteenBytesAtATime(string tile, int tm, int tn)
    {
        foreach (string layout in new[] { "nt", "nn", "tn" })
        {
            var opcodes = PtxParser.Parse("gemm.ptx", Read("gemm.ptx")).Kernels[$"gemm_{layout}_{tile}"].Opcodes;
            Assert.Equal(16 * tm * tn, opcodes["fma.rn.f32"] - 2); // two more in GELU's backward pass
            Assert.Equal(16 * (tm + tn) / 4, opcodes["ld.shared.v4.f32"]);
            Assert.InRange(opcodes["ld.global.v4.f32"], 4, 64);
            Assert.Equal(tm * tn / 4, opcodes["st.global.v4.f32"]);
        }
    }

    private static string? Run(string program, params string[] arguments)
    {
        try
        {
            using var p = Process.Start(
                new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
            )!;
            string output = p.StandardOutput.ReadToEnd();
            p.WaitForExit();
            return p.ExitCode == 0 ? output : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static string Root()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "LutNative.sln")))
            folder =
                Path.GetDirectoryName(folder.TrimEnd('/', '\\'))
                ?? throw new DirectoryNotFoundException("LutNative.sln");
        return folder;
    }
}
