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
public sealed class CrossReplaceScheduleTests
{
    [Theory]
    [InlineData(50, 0.8, 40)]
    [InlineData(50, 0.4, 20)]
    [InlineData(10, 0.8, 8)]
    [InlineData(10, 1.0, 11)]
    [InlineData(10, 0.0, 0)]
    public void Table_Fraction_InjectsTruncatedShareOfRows(int steps, double end, int rows)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor table = CrossReplaceSchedule.Until(end).Table(steps, [Prompt("a cat")]);
        Assert.Equal([steps + 1, 1, Context], table.shape);
        Assert.Equal(rows * Context, table.sum().item<float>());
        if (rows > 0)
            Assert.Equal(1, table[rows - 1, 0, 0].item<float>());
    }

    [Fact]
    public void Table_WordWindow_MovesAllTokensOfThatWordOnly()
    {
        TokenizedPrompt target = Prompt("a squirrel on a mat");
        using DisposeScope scope = NewDisposeScope();
        Tensor table = new CrossReplaceSchedule { Default = StepWindow.Until(0.5), Words = [new("squirrel", new StepWindow(0.2, 0.9))] }
            .Table(9, [target])
            .select(1, 0);
        float[] squirrel = [0, 0, 1, 1, 1, 1, 1, 1, 1, 0],
            others = [1, 1, 1, 1, 1, 0, 0, 0, 0, 0];
        for (int position = 0; position < Context; position++)
            Assert.Equal(position is 2 or 3 ? squirrel : others, table.select(1, position).data<float>().ToArray());
    }

    [Fact]
    public void Table_SeveralTargets_FindTheWordInEach()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor table = new CrossReplaceSchedule { Default = StepWindow.Never, Words = [new("cat", StepWindow.Always)] }.Table(
            3,
            [Prompt("a cat"), Prompt("a red cat")]
        );
        Assert.Equal([2, 3], Enumerable.Range(0, 2).Select(p => table[0, p].argmax().item<long>()));
        Assert.Equal(2 * 4, table.sum().item<float>());
    }

    [Fact]
    public void Table_UnknownWord_IsRefusedUnlessSkipped()
    {
        CrossReplaceSchedule schedule = new() { Words = [new("dog", StepWindow.Never)] };
        WordNotInPromptException error = Assert.Throws<WordNotInPromptException>(() => schedule.Table(5, [Prompt("a cat")]));
        Assert.Contains("dog", error.Message);
        Assert.Contains("cat", error.Message);
        using DisposeScope scope = NewDisposeScope();
        Tensor skipped = (schedule with { MissingWords = MissingWordRule.Skip }).Table(5, [Prompt("a cat")]);
        Assert.Equal(0, MaxDifference(skipped, new CrossReplaceSchedule().Table(5, [Prompt("a cat")])));
    }

    [Theory]
    [InlineData(-0.1, 0.5)]
    [InlineData(0.5, 0.4)]
    [InlineData(0, 1.5)]
    [InlineData(double.NaN, 1)]
    public void StepWindow_BadBounds_AreRefused(double start, double end) => Assert.Throws<ArgumentOutOfRangeException>(() => new StepWindow(start, end));
}
