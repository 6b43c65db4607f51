using LutNative.Harness.Errors;

namespace LutNative.Harness.Tests;

/// <summary>What comes from files acts on no terminal and makes no line of a log.</summary>
public sealed class PlainTests
{
    [Theory]
    [InlineData("fashion-lut@1 naïve 日本 😀", "fashion-lut@1 naïve 日本 😀")]
    [InlineData("a\x1b[2Jb", @"a\x1b[2Jb")]
    [InlineData("a\u009b2Jb\u007f", @"a\x9b2Jb\x7f")]
    [InlineData("x\n::error::y\r\tz", @"x\x0a::error::y\x0d\x09z")]
    [InlineData("evil\u202egnp.exe\u2066\u200b", @"evil\u{202e}gnp.exe\u{2066}\u{200b}")]
    [InlineData("", "")]
    public void ControlsAreShown(string text, string shown)
    {
        Assert.Equal(shown, Plain.OneLine(text));
        Assert.Equal(shown, Plain.OneLine(Plain.OneLine(text)));
    }

    /// <summary>Halves of a pair, as broken names have them: they have no encoding.</summary>
    [Fact]
    public void HalvesOfPairsAreShown() => Assert.Equal(@"\u{d800}a\u{dc00}", Plain.OneLine("\ud800a\udc00"));

    [Fact]
    public void OurOwnLinesStay() => Assert.Equal("a\nb\\x0dc", Plain.Lines("a\nb\rc"));
}
