using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static NullTextResearch.TestKit.TensorAssert;
using static NullTextResearch.Tests.Editing.EditingLab;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Editing;

/// <summary>Prompt tuning inversion: an embedding per step fitted to the image, mixed with that of the target prompt.</summary>
[LeavesNoTensors]
public sealed class EmbeddingInterpolationTests : IDisposable
{
    private const string Cat = "a cat on a mat",
        Dog = "a dog on a mat";

    private readonly EditingLab _lab = new();
    private readonly InversionResult _tuned;

    public EmbeddingInterpolationTests()
    {
        using InversionResult start = _lab.Inverted(Cat);
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new()
        {
            Predictor = _lab.Predictor(FusedAttention.Instance),
            Grid = _lab.Grid,
            Latents = start.StartLatents.Times(0.7),
            Conditional = start.Conditional.At(0),
            Unconditional = _lab.Encode([Prompt("")]),
            GuidanceScale = start.GuidanceScale,
        };
        _tuned = new TextualInversionWithPivot(NullTextOptions.Default with { InnerSteps = 3, StopEarly = false, LearningRate = 0.05 }).Invert(problem);
    }

    public void Dispose()
    {
        _tuned.Dispose();
        _lab.Dispose();
    }

    [Fact]
    public void Edit_ShareOfNothing_IsTheReconstruction()
    {
        using EditResult result = Edit(0);
        using DisposeScope scope = NewDisposeScope();
        Assert.True(MaxDifference(result.Source(), result.Target()) < 1e-11);
    }

    /// <summary>At 1 the target prompt's own embedding alone, without rows of the optimised one; between, the mean of both at every step.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(0.3)]
    public void Edit_AnyShare_SamplesWithTheMixtureOfBothEmbeddings(double share)
    {
        using EditResult result = Edit(share);
        using DisposeScope scope = NewDisposeScope();
        Tensor own = _tuned.Conditional.Values,
            target = _lab.Encode([Prompt(Dog)]);
        Assert.True(_tuned.IsPromptOptimised && _tuned.Conditional.IsPerStep);
        using StepEmbeddings mixed = StepEmbeddings.PerStep(own.Times(1 - share).Plus(target.Times(share)));
        using Tensor expected = Sampler.Run(_lab.Predictor(FusedAttention.Instance), _lab.Grid, _tuned.Plan with { Conditional = mixed });
        Assert.True(MaxDifference(expected, result.Target()) < 1e-11);
        Assert.True(MaxDifference(result.Source(), result.Target()) > 1e-4);
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void Edit_ShareOutOfRange_IsRefused(double share) =>
        Assert.Contains("[0, 1]", Assert.Throws<ArgumentException>(() => Edit(share)).Message, StringComparison.Ordinal);

    private EditResult Edit(double share) =>
        new EditSession(prompts => _lab.Encode(prompts), _lab.Predictor, _lab.Grid, Prompt("")).Edit(
            _tuned,
            [ImageEdit.Of(Tokenizer, Cat, Dog)],
            new EmbeddingInterpolationOptions { Share = share }
        );
}
