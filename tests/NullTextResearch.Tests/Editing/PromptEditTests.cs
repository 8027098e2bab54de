using System.Text.Json;
using NullTextResearch.Attention;
using NullTextResearch.Editing;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using NullTextResearch.Text;
using TorchSharp;
using Xunit;
using static NullTextResearch.TestKit.TensorAssert;
using static NullTextResearch.Tests.Editing.EditingLab;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Editing;

[LeavesNoTensors]
public sealed class PromptEditTests
{
    [Fact]
    public void Equalizer_MultiTokenWord_ScalesAllItsTokens()
    {
        IReadOnlyList<double> equalizer = ReWeight.Of(["squirrel", "mat"], [2, -1.5]).Equalizer(Prompt("a squirrel on a mat"));
        Assert.Equal([1, 1, 2, 2, 1, 1, -1.5, 1, 1, 1, 1, 1], equalizer);
    }

    [Fact]
    public void Equalizer_WordNamedTwice_TakesTheLaterFactor()
    {
        Assert.Equal(3, ReWeight.Of(["cat", "cat"], [2, 3]).Equalizer(Prompt("a cat"))[2]);
    }

    [Fact]
    public void EditTarget_Defaults_AreTheReleasedExamples()
    {
        EditTarget target = new() { Prompt = Prompt("a cat"), Edit = new WordSwap() };
        Assert.Equal(StepWindow.Until(0.8), target.CrossReplace.Default);
        Assert.Equal(StepWindow.Until(0.4), target.SelfReplace);
        Assert.Null(target.Blend);
    }

    [Fact]
    public void Of_UnequalLists_NamesBoth()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => ReWeight.Of(["cat", "mat"], [2]));
        Assert.Contains("2 words (cat, mat)", error.Message);
        Assert.Contains("1 factors (2)", error.Message);
    }

    [Fact]
    public void Equalizer_UnknownWord_IsRefusedUnlessSkipped()
    {
        ReWeight edit = ReWeight.Of(["dog"], [2]);
        Assert.Throws<WordNotInPromptException>(() => edit.Equalizer(Prompt("a cat")));
        Assert.All((edit with { MissingWords = MissingWordRule.Skip }).Equalizer(Prompt("a cat")), f => Assert.Equal(1, f));
    }

    [Fact]
    public void Equalizer_InfiniteFactor_IsRefused() =>
        Assert.Throws<ArgumentException>(() => ReWeight.Of(["cat"], [double.PositiveInfinity]).Equalizer(Prompt("a cat")));

    [Fact]
    public void Inject_Swap_KeepsRowsNormalised()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor source = rand([2, 9, Context], ScalarType.Float64).softmax(-1),
            own = rand([2, 9, Context], ScalarType.Float64).softmax(-1);
        using MapInjection swap = new WordSwap().Resolve(Prompt("a cat on a mat"), Prompt("a lasagna on a squirrel"), ScalarType.Float64, CPU);
        Tensor injected = swap.Inject(source, own);
        Assert.True(MaxDifference(injected.sum(-1), ones([2, 9], ScalarType.Float64)) < 1e-6);
        Assert.True(MaxDifference(injected.select(2, 3).Times(3), source.select(2, 2)) < 1e-6);
    }

    [Fact]
    public void Inject_Refinement_TakesMatchedColumnsFromSourceAndNewOnesFromTarget()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor source = rand([2, 9, Context]),
            own = rand([2, 9, Context]);
        using MapInjection refine = new Refinement().Resolve(Prompt("a cat on a mat"), Prompt("a red cat on a mat"), ScalarType.Float32, CPU);
        Tensor injected = refine.Inject(source, own);
        Assert.Equal(0, MaxDifference(injected.select(2, 2), own.select(2, 2)));
        Assert.Equal(0, MaxDifference(injected.select(2, 3), source.select(2, 2)));
        Assert.Equal(0, MaxDifference(injected.select(2, 11), source.select(2, 11)));
    }

    [Fact]
    public void Inject_ReWeightAlone_MultipliesTheSourcesMaps()
    {
        using DisposeScope scope = NewDisposeScope();
        TokenizedPrompt prompt = Prompt("a cat on a mat");
        Tensor source = rand([2, 9, Context]),
            own = rand([2, 9, Context]);
        using MapInjection weighted = ReWeight.Of(["cat"], [3]).Resolve(prompt, prompt, ScalarType.Float32, CPU);
        Tensor expected = source.clone();
        expected.select(2, 2).TimesInPlace(3);
        Assert.Equal(0, MaxDifference(expected, weighted.Inject(source, own)));
    }

    [Fact]
    public void Inject_ReWeightAfterRefinement_MultipliesRefinedMaps()
    {
        using DisposeScope scope = NewDisposeScope();
        TokenizedPrompt a = Prompt("a cat on a mat"),
            b = Prompt("a red cat on a mat");
        Tensor source = rand([2, 9, Context]),
            own = rand([2, 9, Context]);
        using MapInjection refine = new Refinement().Resolve(a, b, ScalarType.Float32, CPU);
        using MapInjection weighted = ReWeight.Of(["red"], [3], new Refinement()).Resolve(a, b, ScalarType.Float32, CPU);
        Tensor plain = refine.Inject(source, own),
            strong = weighted.Inject(source, own);
        Assert.Equal(0, MaxDifference(strong.select(2, 2), plain.select(2, 2).Times(3)));
        Assert.Equal(0, MaxDifference(strong.select(2, 3), plain.select(2, 3)));
    }

    [Fact]
    public void Json_Edit_ComesBackAsWritten()
    {
        PromptEdit edit = ReWeight.Of(["cat", "mat"], [2, -1.5], new WordSwap { Tail = TailRule.Published });
        ReWeight back = Assert.IsType<ReWeight>(JsonSerializer.Deserialize<PromptEdit>(JsonSerializer.Serialize(edit)));
        Assert.Equal([new WordFactor("cat", 2), new WordFactor("mat", -1.5)], back.Factors);
        Assert.Equal(new WordSwap { Tail = TailRule.Published }, back.After);
        CrossReplaceSchedule schedule = new() { Default = new StepWindow(0.1, 0.7), Words = [new("cat", StepWindow.Always)] };
        CrossReplaceSchedule same = JsonSerializer.Deserialize<CrossReplaceSchedule>(JsonSerializer.Serialize(schedule))!;
        Assert.Equal(schedule.Default, same.Default);
        Assert.Equal(schedule.Words, same.Words);
    }

    [Fact]
    public void Json_Options_NameTheirLayers()
    {
        Assert.Contains("coarsest with side", JsonSerializer.Serialize(new LocalBlend { SourceWords = ["cat"], TargetWords = ["dog"] }));
        Assert.Contains(
            "\"MaxSide\":16",
            JsonSerializer.Serialize(
                new PromptToPromptOptions
                {
                    Store = new AttentionStoreOptions { MaxSide = 16, Site = _ => true },
                }
            )
        );
    }
}
