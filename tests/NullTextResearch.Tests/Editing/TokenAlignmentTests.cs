using NullTextResearch.Editing;
using NullTextResearch.Text;
using TorchSharp;
using Xunit;
using static NullTextResearch.TestKit.TensorAssert;
using static NullTextResearch.Tests.Editing.EditingLab;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Editing;

public sealed class TokenAlignmentTests
{
    [Fact]
    public void Replacement_SamePrompt_IsIdentity()
    {
        using Tensor mapper = TokenAlignment.Replacement(Prompt("a squirrel on a mat"), Prompt("a squirrel on a mat"));
        using Tensor identity = eye(Context);
        Assert.Equal(0, MaxDifference(mapper, identity));
    }

    [Theory]
    [InlineData("a cat on a mat", "a dog on a mat")]
    [InlineData("a cat on a mat", "a squirrel on a mat")]
    [InlineData("a squirrel on a mat", "a cat on a mat")]
    [InlineData("a squirrel on a mat", "a lasagna on a squirrel")]
    [InlineData("squirrel lasagna", "cat dog")]
    public void Replacement_Corrected_EveryRowSumsToOne(string source, string target)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor mapper = TokenAlignment.Replacement(Prompt(source), Prompt(target), dtype: ScalarType.Float64);
        Assert.True(MaxDifference(mapper.sum(1), ones(Context, ScalarType.Float64)) < 1e-6);
    }

    [Fact]
    public void Replacement_OneTokenToTwo_SpreadsEvenlyAndShiftsTheTail()
    {
        TokenizedPrompt source = Prompt("a cat on a mat"), target = Prompt("a squirrel on a mat");
        using DisposeScope scope = NewDisposeScope();
        Tensor mapper = TokenAlignment.Replacement(source, target);
        Assert.Equal(0.5f, mapper[2, 2].item<float>());
        Assert.Equal(0.5f, mapper[2, 3].item<float>());
        foreach (string word in new[] { "on", "mat" })
            Assert.Equal(1, mapper[source.PositionsOf(word)[0], target.PositionsOf(word)[0]].item<float>());
    }

    [Fact]
    public void Replacement_Published_LeavesTheTailMisaligned()
    {
        TokenizedPrompt source = Prompt("a cat on a mat"), target = Prompt("a squirrel on a mat");
        using DisposeScope scope = NewDisposeScope();
        Tensor mapper = TokenAlignment.Replacement(source, target, TailRule.Published);
        int on = target.PositionsOf("on")[0];
        Assert.Equal(1, mapper[on, on].item<float>());
        Assert.Equal(0, mapper[source.PositionsOf("on")[0], on].item<float>());
    }

    [Fact]
    public void Replacement_TwoTokensToTwo_IsOneToOne()
    {
        using DisposeScope scope = NewDisposeScope();
        Assert.Equal(0, MaxDifference(TokenAlignment.Replacement(Prompt("a squirrel on a mat"), Prompt("a tiger on a mat")), eye(Context)));
    }

    [Fact]
    public void Replacement_UnequalWordCounts_NamesCountsAndWords()
    {
        WordCountMismatchException error = Assert.Throws<WordCountMismatchException>(() => TokenAlignment.Replacement(Prompt("a cat"), Prompt("a red cat")));
        Assert.Contains("2 (a, cat)", error.Message);
        Assert.Contains("3 (a, red, cat)", error.Message);
    }

    [Fact]
    public void Refinement_AddedMultiTokenWord_IsNewAndTheRestIsShifted()
    {
        TokenizedPrompt source = Prompt("a cat on a mat"), target = Prompt("a squirrel cat on a mat");
        IReadOnlyList<int> from = TokenAlignment.Refinement(source, target).Sources;
        Assert.Equal([0, 1, -1, -1, 2, 3, 4, 5, 6], from.Take(9));
        Assert.Equal([0f, 0f], TokenAlignment.Refinement(source, target).Weights.Skip(2).Take(2));
    }

    [Theory]
    [InlineData("a cat on a mat")]
    [InlineData("squirrel lasagna")]
    [InlineData("")]
    public void Refinement_SamePrompt_IsIdentity(string prompt) =>
        Assert.Equal(Enumerable.Range(0, Context), TokenAlignment.Refinement(Prompt(prompt), Prompt(prompt)).Sources);
}
