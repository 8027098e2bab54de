using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
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
public sealed class EditSessionTests
{
    [Fact]
    public void Edit_PlainInversion_EqualsRunWithTheEncodersEmbeddings()
    {
        using EditingLab lab = new();
        InversionResult inversion = lab.Inverted("a cat on a mat", "squirrel");
        ImageEdit[] edits = [ImageEdit.Of(Tokenizer, "a cat on a mat", "a red cat on a mat"), ImageEdit.Of(Tokenizer, "squirrel", "lasagna")];
        Assert.IsType<Refinement>(edits[0].Targets[0].Edit);
        Assert.IsType<WordSwap>(edits[1].Targets[0].Edit);
        using EditResult expected = lab.Edit(inversion, edits);
        using EditResult result = Session(lab).Edit(inversion, edits);
        Close(expected.Latents, result.Latents, 0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Edit_OptimisedPrompt_KeepsTheImageUnderTheSamePrompt(bool perStep)
    {
        using EditingLab lab = new();
        InversionResult plain = lab.Inverted("a cat on a mat");
        using DisposeScope scope = NewDisposeScope();
        Tensor learned = plain.Conditional.Values.Plus(0.3);
        using StepEmbeddings conditional = perStep
            ? StepEmbeddings.PerStep(stack([.. Enumerable.Range(0, lab.Grid.Steps).Select(i => learned.Times(1 + 0.1 * i))], 0))
            : StepEmbeddings.Constant(learned);
        InversionResult inversion = new()
        {
            Method = "textual",
            IsPromptOptimised = true,
            GuidanceScale = plain.GuidanceScale,
            StartLatents = plain.StartLatents,
            Conditional = conditional,
            Unconditional = plain.Unconditional,
            EvaluationsPerImage = 0,
            Elapsed = TimeSpan.Zero,
            Options = "none",
        };
        ImageEdit same = ImageEdit.Of(Tokenizer, "a cat on a mat", "a cat on a mat"),
            other = ImageEdit.Of(Tokenizer, "a cat on a mat", "a dog on a mat");
        ImageEdit twice = same with { Targets = [same.Targets[0], other.Targets[0]] };
        using EditResult result = Session(lab).Edit(inversion, [twice]);
        Assert.True(MaxDifference(result.Source(), result.Target(0)) < 1e-11);
        Assert.True(MaxDifference(result.Source(), result.Target(1)) > 1e-3);
    }

    [Fact]
    public void Edit_Finished_LeavesNoTensors()
    {
        using EditingLab lab = new();
        InversionResult inversion = lab.Inverted("a cat");
        EditSession session = Session(lab);
        ImageEdit edit = ImageEdit.Of(Tokenizer, "a cat", "a dog");
        session.Edit(inversion, [edit]).Dispose();
        long before = Live;
        session.Edit(inversion, [edit]).Dispose();
        Assert.Throws<ArgumentException>(() => session.Edit(inversion, [edit, edit]));
        Assert.Equal(before, Live);
    }

    [Fact]
    public void Of_TooLongPrompt_IsRefused() =>
        Assert.Throws<PromptTooLongException>(() => ImageEdit.Of(Tokenizer, "a cat", "a red red red red red red red red red red red red cat"));

    private static EditSession Session(EditingLab lab) => new(prompts => lab.Encode(prompts), lab.Predictor, lab.Grid);
}
