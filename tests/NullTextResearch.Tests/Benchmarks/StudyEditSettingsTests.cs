using NullTextResearch.Benchmarks;
using NullTextResearch.Editing;
using NullTextResearch.TestKit;
using NullTextResearch.Tests.Editing;
using NullTextResearch.Tests.UseCases;
using NullTextResearch.Text;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Benchmarks;

[LeavesNoTensors]
public sealed class StudyEditSettingsTests
{
    private static readonly EditTask Task = new()
    {
        Id = "a",
        Kind = "swap",
        SourcePrompt = "a cat on a mat",
        TargetPrompt = "a dog on a mat",
        BlendWords = ["cat", "dog"],
        BlendPair = ["cat", "dog"],
    };

    private static EditTarget Of(StudyEditSettings settings, EditTask task) =>
        settings.Of(task, new PromptToPromptOptions()).Target(EditingLab.Tokenizer, task.SourcePrompt, task.TargetPrompt);

    [Fact]
    public void Of_Defaults_AreThoseOfEditOptions()
    {
        EditTarget target = Of(new StudyEditSettings(), Task),
            plain = new EditOptions { Blend = Task.BlendWords }.Target(EditingLab.Tokenizer, Task.SourcePrompt, Task.TargetPrompt);
        Assert.IsType<WordSwap>(target.Edit);
        Assert.Equal((plain.SelfReplace, plain.CrossReplace.Default), (target.SelfReplace, target.CrossReplace.Default));
        Assert.Equal((plain.Blend!.Threshold, plain.Blend.StartFraction), (target.Blend!.Threshold, target.Blend.StartFraction));
        Assert.Equal(plain.Blend.SourceWords, target.Blend.SourceWords);
    }

    /// <summary>PnPInversion's runner: refinement, windows, and one word per prompt, with factor 2 on the second.</summary>
    [Fact]
    public void Of_PublishedProtocolOfPie_IsWhatTheAuthorsRunnerDoes()
    {
        EditTarget target = Of(StudyEditSettings.Pie, Task);
        ReWeight weighted = Assert.IsType<ReWeight>(target.Edit);
        Assert.IsType<Refinement>(weighted.After);
        Assert.Equal([new WordFactor("dog", 2)], weighted.Factors);
        Assert.Equal((StepWindow.Until(0.4), StepWindow.Until(0.6)), (target.CrossReplace.Default, target.SelfReplace));
        Assert.Equal((0.3, 0.2), (target.Blend!.Threshold, target.Blend.StartFraction));
        // Each in its own prompt only; a swap's counterpart is not added.
        Assert.Equal(["cat"], target.Blend.SourceWords);
        Assert.Equal(["dog"], target.Blend.TargetWords);
    }

    [Theory]
    [InlineData("mat", "zebra", "mat", "")]
    [InlineData("Cat", "dog", "", "dog")]
    [InlineData("dog", "cat", "", "")]
    public void Of_WordThatItsPromptLacksAsSpelled_HasNoEffect(string first, string second, string ofSource, string ofTarget)
    {
        EditTarget target = Of(StudyEditSettings.Pie, Task with { BlendPair = [first, second] });
        Assert.Equal(ofSource, string.Join(' ', target.Blend!.SourceWords));
        Assert.Equal(ofTarget, string.Join(' ', target.Blend.TargetWords));
        if (ofTarget.Length == 0)
            Assert.IsType<Refinement>(target.Edit);
        target.Blend.Validate(EditingLab.Tokenizer.Tokenize(Task.SourcePrompt), EditingLab.Tokenizer.Tokenize(Task.TargetPrompt));
    }

    [Fact]
    public void Of_NoBlendedWords_HasNeitherBlendNorFactor()
    {
        EditTarget target = Of(StudyEditSettings.Pie, Task with { BlendPair = [], BlendWords = [] });
        Assert.Null(target.Blend);
        Assert.IsType<Refinement>(target.Edit);
    }

    [Fact]
    public void Of_FactorOfATask_GoesBefore()
    {
        EditTarget target = Of(StudyEditSettings.Pie, Task with { Weights = new Dictionary<string, double> { ["dog"] = 3 } });
        Assert.Equal([new WordFactor("dog", 3)], Assert.IsType<ReWeight>(target.Edit).Factors);
    }

    [Fact]
    public void Of_OneBlendedWordAndAWordPerPrompt_IsRefused() =>
        Assert.Contains(
            "needs two words",
            Assert.Throws<ArgumentException>(() => Of(StudyEditSettings.Pie, Task with { BlendPair = [], BlendWords = ["cat"] })).Message,
            StringComparison.Ordinal
        );

    /// <summary>What the authors' code does: without any word the mask is empty, and the target becomes the source once blending has begun.</summary>
    [Fact]
    public void Edit_BlendWithoutAnyWord_LeavesThePictureAsItIs()
    {
        using ToyFlowModel model = new();
        TinyEdits data = new();
        EditTask task = data.Tasks[0] with { BlendPair = ["dog", "cat"] };
        using InvertedPicture inverted = model.Invert(data.Picture(task), task.SourcePrompt, new InvertOptions { Steps = 5 });
        using EditedPicture edited = model.Edit(inverted, task.TargetPrompt, StudyEditSettings.Pie.Of(task, new PromptToPromptOptions())),
            free = model.Edit(
                inverted,
                task.TargetPrompt,
                StudyEditSettings.Pie.Of(task with { BlendPair = [], BlendWords = [] }, new PromptToPromptOptions())
            );
        using DisposeScope scope = NewDisposeScope();
        Assert.Equal(0, Distance(edited));
        Assert.True(Distance(free) > 0, "the edit changes nothing even without a blend");

        static double Distance(EditedPicture picture)
        {
            Tensor rows = picture.Result.Latents;
            return rows.narrow(0, 0, 1).sub(rows.narrow(0, 1, 1)).abs().max().to(ScalarType.Float64).item<double>();
        }
    }
}
