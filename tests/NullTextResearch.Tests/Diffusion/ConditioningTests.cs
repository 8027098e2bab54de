using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using NullTextResearch.Tests.Editing;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Diffusion;

[LeavesNoTensors]
public sealed class ConditioningTests
{
    [Fact]
    public void Guided_AllParts_HaveTheUnconditionalRowsFirst()
    {
        using DisposeScope scope = NewDisposeScope();
        Conditioning prompts = FoldedConditions.Split(Tokens(3)),
            empty = FoldedConditions.Split(Tokens(1).Times(2)),
            both = prompts.Guided(empty);
        Assert.Equal(6, both.Count);
        Assert.Equal(0.125, both.DistilledGuidance);
        foreach (
            (Tensor? all, Tensor? without, Tensor? with) in new[]
            {
                (both.Tokens, empty.Tokens, prompts.Tokens),
                (both.Pooled, empty.Pooled, prompts.Pooled),
                (both.Extra, empty.Extra, prompts.Extra),
            }
        )
        {
            TensorAssert.Close(without!.expand(with!.shape), all!.narrow(0, 0, 3), 0);
            TensorAssert.Close(with!, all!.narrow(0, 3, 3), 0);
        }
        Assert.Equal(BatchLayout.Sources(3).Guided().Rows, both.Rows!.Rows);
    }

    [Fact]
    public void Guided_OtherKind_IsRefusedWithWhatEachHas()
    {
        using DisposeScope scope = NewDisposeScope();
        Conditioning prompts = FoldedConditions.Split(Tokens(2));
        string message = Assert.Throws<ArgumentException>(() => prompts.Guided(Tokens(1))).Message;
        Assert.Contains("a pooled embedding and extra numbers and a distilled guidance scale of 0.125", message, StringComparison.Ordinal);
        Assert.Contains("nothing", message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => prompts.Guided(FoldedConditions.Split(Tokens(1)) with { DistilledGuidance = 3 }));
        Assert.Throws<ShapeMismatchException>(() => prompts.Guided(FoldedConditions.Split(Tokens(3))));
    }

    [Fact]
    public void Differentiate_ByThePooledEmbedding_IsTheSumOverTokens()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor toy = new();
        InversionProblem problem = toy.Problem(images: 2);
        INoisePredictor network = new FoldedConditions(toy);
        PredictionGradient result = network.Differentiate(
            problem.Latents,
            problem.Grid.Moves[0],
            FoldedConditions.Split(problem.Conditional.Tokens),
            noise => noise.Squared().mean([1, 2, 3]),
            GradientOf.Pooled | GradientOf.Tokens
        );
        Assert.Null(result.Latents);
        Assert.True(result.Pooled!.abs().max().item<double>() > 1e-3);
        TensorAssert.Close(result.Tokens!.sum([1L]), result.Pooled!, 1e-12);
        Assert.Throws<ArgumentException>(() =>
            network.Differentiate(problem.Latents, problem.Grid.Moves[0], problem.Conditional, noise => noise.mean([1, 2, 3]), GradientOf.Pooled)
        );
    }

    [Fact]
    public void Predict_StableDiffusionWithAPooledEmbedding_IsRefused()
    {
        using EditingLab lab = new();
        using DisposeScope scope = NewDisposeScope();
        UNetNoisePredictor network = new(lab.UNet, FusedAttention.Instance);
        Tensor latents = zeros([1, 4, 8, 8], dtype: ScalarType.Float64),
            tokens = lab.Encode([EditingLab.Prompt("a cat")]);
        string message = Assert
            .Throws<ArgumentException>(() => network.Predict(latents, lab.Grid.Moves[0], new Conditioning(tokens, tokens.mean([1]))))
            .Message;
        Assert.Contains("a pooled embedding", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_EmptyPromptOfAnotherKind_IsRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        Assert.Throws<ArgumentException>(() => (problem with { Conditional = FoldedConditions.Split(problem.Conditional.Tokens) }).Validate());
        Conditioning single = problem.Conditional with { Pooled = problem.Latents.flatten(1).to(ScalarType.Float32) };
        string message = Assert
            .Throws<ArgumentException>(() =>
                (problem with { Conditional = single, Unconditional = problem.Unconditional with { Pooled = single.Pooled!.narrow(0, 0, 1) } }).Validate()
            )
            .Message;
        Assert.Contains("Conditional.Pooled is Float32", message, StringComparison.Ordinal);
    }

    [Fact]
    public void StepEmbeddings_PooledOfOtherRows_AreRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor tokens = Tokens(2);
        Assert.Throws<ArgumentException>(() => StepEmbeddings.Constant(new Conditioning(tokens, Pooled: tokens.narrow(0, 0, 1).mean([1]))));
        Assert.Throws<ArgumentException>(() => StepEmbeddings.PerStep(new Conditioning(stack([tokens, tokens]), Extra: tokens)));
    }

    private static Tensor Tokens(int rows) => ScalarArithmetic.Range(rows * 5 * 4, ScalarType.Float64).reshape(rows, 5, 4).Times(0.3).sin();
}
