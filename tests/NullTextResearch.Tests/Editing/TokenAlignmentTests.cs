using NullTextResearch.Editing;
using NullTextResearch.TestKit;
using NullTextResearch.Text;
using TorchSharp;
using Xunit;
using static NullTextResearch.TestKit.TensorAssert;
using static NullTextResearch.Tests.Editing.EditingLab;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Editing;

[LeavesNoTensors]
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
        TokenizedPrompt source = Prompt("a cat on a mat"),
            target = Prompt("a squirrel on a mat");
        using DisposeScope scope = NewDisposeScope();
        Tensor mapper = TokenAlignment.Replacement(source, target);
        Assert.Equal(0.5f, mapper[2, 2].item<float>());
        Assert.Equal(0.5f, mapper[2, 3].item<float>());
        foreach (string word in new[] { "on", "mat" })
            Assert.Equal(1, mapper[source.PositionsOf(word)[0], target.PositionsOf(word)[0]].item<float>());
    }

    [Fact]
    public void Replacement_Corrected_CollectsPushedOutPaddingInTheLastPosition()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor mapper = TokenAlignment.Replacement(Prompt("a cat on a mat"), Prompt("a squirrel on a mat"));
        float[] last = [.. Enumerable.Repeat(0f, Context - 2), 1, 1],
            start = [1, .. Enumerable.Repeat(0f, Context - 1)];
        Assert.Equal(last, mapper.select(1, Context - 1).contiguous().data<float>().ToArray());
        Assert.Equal(start, mapper.select(1, 0).contiguous().data<float>().ToArray());
    }

    [Fact]
    public void Replacement_Published_LeavesTheTailMisaligned()
    {
        TokenizedPrompt source = Prompt("a cat on a mat"),
            target = Prompt("a squirrel on a mat");
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
        TokenizedPrompt source = Prompt("a cat on a mat"),
            target = Prompt("a squirrel cat on a mat");
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

    /// <summary>Worked out by hand from the rule: of equal scores a gap in the source wins, then a gap in the target, then the diagonal.</summary>
    [Theory]
    // Either word could be kept: "cat" as new (a gap in the source) comes before dropping the source's "dog".
    [InlineData("cat dog", "dog cat", new[] { 0, 2, -1, 3 })]
    [InlineData("cat dog red", "red dog cat", new[] { 0, 3, -1, -1, 4 })]
    // The source's second "cat" is dropped (a gap in the target) before it is matched.
    [InlineData("cat cat", "cat", new[] { 0, 1, 3 })]
    [InlineData("cat", "cat cat", new[] { 0, 1, -1, 2 })]
    // A changed word is never matched: it is new, and the source's is dropped.
    [InlineData("a cat", "a dog", new[] { 0, 1, -1, 3 })]
    public void Refinement_EqualScores_GoToTheGapInTheSourceFirst(string source, string target, int[] expected) =>
        Assert.Equal(expected, TokenAlignment.Refinement(Prompt(source), Prompt(target)).Sources.Take(expected.Length));

    [Fact]
    public void Refinement_RandomPairs_EqualTheRulesWrittenDownAgain()
    {
        string[] words = ["a", "cat", "dog", "red", "on"];
        Random random = new(1);
        TokenizedPrompt Draw() => Prompt(string.Join(' ', random.GetItems(words, random.Next(Context - 1))));
        int tied = 0;
        for (int pair = 0; pair < 3000; pair++)
        {
            TokenizedPrompt source = Draw(),
                target = Draw();
            int[] x = [.. source.Ids.Take(source.TokenCount + 2)],
                y = [.. target.Ids.Take(target.TokenCount + 2)];
            int[] expected = Align(x, y, gapInSourceFirst: true);
            Assert.Equal([.. expected, .. Enumerable.Range(y.Length, Context - y.Length)], TokenAlignment.Refinement(source, target).Sources);
            if (!expected.SequenceEqual(Align(x, y, gapInSourceFirst: false)))
                tied++;
        }
        Assert.True(tied > 300, $"Only {tied} pairs depend on the order of ties: this test shows too little.");
    }

    /// <summary>Needleman-Wunsch as a search: the best score of the rest, and the first way in the order of preference that reaches it.</summary>
    private static int[] Align(int[] x, int[] y, bool gapInSourceFirst)
    {
        Dictionary<(int, int), int> known = [];
        List<int> sources = [];
        for ((int i, int j) = (x.Length, y.Length); i > 0 || j > 0; )
        {
            int best = Best(i, j);
            bool gapInSource = j > 0 && Best(i, j - 1) == best,
                gapInTarget = i > 0 && Best(i - 1, j) == best;
            if (gapInSource && (gapInSourceFirst || !gapInTarget))
            {
                sources.Add(-1);
                j--;
            }
            else if (gapInTarget)
            {
                i--;
            }
            else
            {
                sources.Add(--i);
                j--;
            }
        }
        sources.Reverse();
        return [.. sources];

        int Best(int i, int j)
        {
            if (i == 0 || j == 0)
                return 0;
            if (known.TryGetValue((i, j), out int score))
                return score;
            return known[(i, j)] = new[] { Best(i, j - 1), Best(i - 1, j), Best(i - 1, j - 1) + (x[i - 1] == y[j - 1] ? 1 : -1) }.Max();
        }
    }
}
