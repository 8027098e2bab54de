using NullTextResearch.Kernel.Server;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Server;

public sealed class CodePointsTests
{
    [Theory]
    [InlineData("abc", 2, 2)]
    [InlineData("a😀b", 2, 3)]
    [InlineData("a😀b", 99, 4)]
    [InlineData("", 1, 0)]
    public void ToUtf16_Characters_SkipsPairs(string text, int characters, int index) => Assert.Equal(index, CodePoints.ToUtf16(text, characters));

    [Theory]
    [InlineData("a😀b", 3, 2)]
    [InlineData("😀😀", 4, 2)]
    public void FromUtf16_Index_CountsPairsOnce(string text, int index, int characters) => Assert.Equal(characters, CodePoints.FromUtf16(text, index));
}
