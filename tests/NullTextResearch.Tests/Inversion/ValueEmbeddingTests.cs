using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using NullTextResearch.Tests.Editing;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Inversion;

/// <summary>The embedding behind the values of cross-attention, apart from the one behind the keys.</summary>
[LeavesNoTensors]
public sealed class ValueEmbeddingTests
{
    private static readonly NullTextOptions Few = NullTextOptions.Default with { InnerSteps = 3, StopEarly = false };

    /// <summary>A network without keys cannot tell the two apart.</summary>
    [Fact]
    public void Invert_NetworkWithoutKeys_IsTextualInversionWithAPivot()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        using InversionResult values = new ValueEmbeddingInversion(Few).Invert(problem),
            whole = new TextualInversionWithPivot(Few).Invert(problem);
        TensorAssert.Close(whole.Conditional.Values, values.Conditional.Stored.ValueTokens!, 0);
        TensorAssert.Close(whole.Reconstruction!, values.Reconstruction!, 0);
        Assert.Equal(whole.Optimisation[1].Select(s => s.Losses[^1]), values.Optimisation[1].Select(s => s.Losses[^1]));
    }

    [Fact]
    public void Invert_Network_KeepsTheKeysAndComesCloser()
    {
        using EditingLab lab = new();
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = Problem(lab);
        using InversionResult result = new ValueEmbeddingInversion(Few).Invert(problem);
        Assert.True(result.IsPromptOptimised);
        for (int step = 0; step < lab.Grid.Steps; step++)
        {
            Conditioning at = result.Conditional.At(step);
            TensorAssert.Close(problem.Conditional.Tokens, at.Tokens, 0);
            Assert.True(at.ValueTokens!.sub(at.Tokens).abs().max().item<double>() > 1e-3);
        }
        Assert.All(result.Optimisation[0], s => Assert.True(s.Losses[^1] < s.Losses[0]));
    }

    /// <summary>The gradient of an embedding that serves for both is the sum of the gradients of its two uses.</summary>
    [Fact]
    public void Differentiate_KeysAndValues_SumToTheSharedGradient()
    {
        using EditingLab lab = new();
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = Problem(lab);
        UNetNoisePredictor network = new(lab.UNet, FusedAttention.Instance);
        Tensor Loss(Tensor noise) => noise.mul(noise).mean([1, 2, 3]);
        DiffusionStep step = lab.Grid.Moves[1];
        PredictionGradient shared = network.Differentiate(problem.Latents, step, problem.Conditional, Loss),
            apart = network.Differentiate(
                problem.Latents,
                step,
                problem.Conditional with
                {
                    ValueTokens = problem.Conditional.Tokens,
                },
                Loss,
                GradientOf.Tokens | GradientOf.ValueTokens
            );
        TensorAssert.Close(shared.Prediction, apart.Prediction, 1e-12);
        TensorAssert.Close(shared.Tokens!, apart.Tokens!.Plus(apart.ValueTokens!), 1e-12);
        Assert.True(apart.Tokens!.abs().max().item<double>() > 1e-9);
        Assert.Throws<ArgumentException>(() => network.Differentiate(problem.Latents, step, problem.Conditional, Loss, GradientOf.ValueTokens));
    }

    /// <summary>Words that both prompts share take their optimised values along; every key is the target's own.</summary>
    [Fact]
    public void Transfer_ValuesAlone_KeepsTheTargetsKeys()
    {
        using EditingLab lab = new();
        using DisposeScope scope = NewDisposeScope();
        Conditioning source = new(lab.Encode([EditingLab.Prompt("a cat on a mat")])),
            target = new(lab.Encode([EditingLab.Prompt("a dog on a mat")]));
        Tensor optimised = source.Tokens.neg();
        using StepEmbeddings own = StepEmbeddings.Constant(source with { ValueTokens = optimised });
        using StepEmbeddings moved = EmbeddingTransfer.Transfer(own, EditingLab.Prompt("a cat on a mat"), EditingLab.Prompt("a dog on a mat"), target);
        TensorAssert.Close(target.Tokens, moved.Values, 0);
        Tensor values = moved.Stored.ValueTokens!;
        // Start of text, "a", noun, "on".
        TensorAssert.Close(optimised.narrow(1, 1, 1), values.narrow(1, 1, 1), 0);
        TensorAssert.Close(target.Tokens.narrow(1, 2, 1), values.narrow(1, 2, 1), 0);
        TensorAssert.Close(optimised.narrow(1, 3, 1), values.narrow(1, 3, 1), 0);
    }

    [Fact]
    public void Guided_OneWithValuesOfItsOwn_NamesThoseOfTheOther()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor prompt = rand([2, 3, 4]),
            empty = rand([1, 3, 4]),
            values = rand([2, 3, 4]);
        Conditioning both = (new Conditioning(prompt) { ValueTokens = values }).Guided(empty);
        TensorAssert.Close(empty.expand(2, 3, 4), both.ValueTokens!.narrow(0, 0, 2), 0);
        TensorAssert.Close(values, both.ValueTokens!.narrow(0, 2, 2), 0);
        Assert.Throws<ShapeMismatchException>(() => StepEmbeddings.Constant(new Conditioning(prompt) { ValueTokens = empty }));
    }

    private static InversionProblem Problem(EditingLab lab) =>
        new()
        {
            Predictor = new UNetNoisePredictor(lab.UNet, FusedAttention.Instance),
            Grid = lab.Grid,
            Latents = ScalarArithmetic.Range(4 * 8 * 8, ScalarType.Float64).Over(128).Plus(-1).reshape(1, 4, 8, 8),
            Conditional = lab.Encode([EditingLab.Prompt("a cat on a mat")]),
            Unconditional = lab.Encode([EditingLab.Prompt("")]),
            GuidanceScale = 3,
        };
}
