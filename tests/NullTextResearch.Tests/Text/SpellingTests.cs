using NullTextResearch.Text;
using Xunit;

namespace NullTextResearch.Tests.Text;

public sealed class SpellingTests
{
    private static readonly string[] Verbs = ["invert", "edit", "sample", "plan", "reproduce", "doctor", "train", "verify", "model", "notebook", "kernel"];

    [Theory]
    [InlineData("smaple", "sample")]
    [InlineData("invrt", "invert")]
    [InlineData("EDTI", "edit")]
    [InlineData("docter", "doctor")]
    [InlineData("reprodce", "reproduce")]
    public void Nearest_Slip_FindsTheWord(string typed, string meant) => Assert.Equal([meant], Spelling.Nearest(typed, Verbs));

    [Theory]
    [InlineData("elephant")]
    [InlineData("xx")]
    [InlineData("")]
    public void Nearest_NothingAlike_IsEmpty(string typed)
    {
        Assert.Empty(Spelling.Nearest(typed, Verbs));
        Assert.Equal("", Spelling.Hint(typed, Verbs));
    }

    [Fact]
    public void Nearest_Several_AreOrderedAndBounded()
    {
        Assert.Equal(["bats", "cat", "cots"], Spelling.Nearest("cats", ["mats", "dog", "cots", "cat", "bats", "cat"]));
        Assert.Equal("; did you mean 'car' or 'cat'?", Spelling.Hint("caz", ["cat", "dog", "car"]));
    }

    [Theory]
    [InlineData("", "abc", 3)]
    [InlineData("abc", "abc", 0)]
    [InlineData("abc", "acb", 1)]
    [InlineData("abcd", "bcd", 1)]
    [InlineData("kitten", "sitting", 3)]
    public void Distance_KnownPairs_IsTheNumberOfChangesBothWays(string a, string b, int changes)
    {
        Assert.Equal(changes, Spelling.Distance(a, b));
        Assert.Equal(changes, Spelling.Distance(b, a));
    }
}
