using System.Text;
using NullTextResearch.Text;
using Xunit;

namespace NullTextResearch.Tests.Text;

public sealed class PrintableTextTests
{
    [Theory]
    [InlineData("plain text, änd 日本 🐱 and 👩‍🚀\tin\ntwo lines")]
    [InlineData("")]
    [InlineData("[31m is no sequence without its first character")]
    public void Clean_WhatCanBeSeen_Stays(string text) => Assert.Equal(text, PrintableText.Clean(text));

    [Theory]
    [InlineData("\u001b]0;title\u0007", @"\u001b]0;title\u0007")]
    [InlineData("\u001b[2J", @"\u001b[2J")]
    [InlineData("\u009b31m", @"\u009b31m")] // The same in one character of C1.
    [InlineData("a\rb", @"a\u000db")]
    [InlineData("a\bb\u007f", @"a\u0008b\u007f")]
    [InlineData("\0", @"\u0000")]
    [InlineData("\u202Egnp.exe", @"\u202egnp.exe")] // Right to left from here on.
    [InlineData("\u2066a\u2069", @"\u2066a\u2069")]
    [InlineData("\u200Ea\u061C", @"\u200ea\u061c")]
    [InlineData("\uFEFFa\u2028b", @"\ufeffa\u2028b")]
    [InlineData("\U000E0041", @"\U000e0041")] // Invisible tags.
    [InlineData("two\r\nlines", "two\nlines")]
    public void Clean_WhatATerminalObeys_IsSpelledOut(string text, string clean) => Assert.Equal(clean, PrintableText.Clean(text));

    [Fact]
    public void Clean_EveryCharacter_LeavesNoneThatATerminalObeys()
    {
        for (int code = 0; code < 0x110000; code++)
        {
            if (!Rune.IsValid(code))
                continue;
            string clean = PrintableText.Clean(new Rune(code).ToString());
            Assert.True(code is '\n' or '\t' || !clean.EnumerateRunes().Any(r => Rune.IsControl(r)), $"U+{code:X4}");
            Assert.Equal(clean, PrintableText.Clean(clean));
        }
    }
}
