using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static NullTextResearch.TestKit.TensorAssert;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Editing;

[LeavesNoTensors]
public sealed class SdEditTests
{
    [Fact]
    public void Run_StrengthZero_ReturnsTheImage()
    {
        using EditingLab lab = new();
        using DisposeScope inputs = NewDisposeScope();
        using SdEditResult result = SdEdit.Run(Problem(lab, "a cat"), new SdEditOptions { Strength = 0 });
        using Tensor latents = Latents(lab, 1);
        Assert.Equal(0, MaxDifference(latents, result.Latents));
        Assert.Equal(0, result.Evaluations);
    }

    [Theory]
    [InlineData(0.2, 1)]
    [InlineData(0.7, 3)]
    [InlineData(1.0, 5)]
    public void Run_Strength_DecidesTheMoves(double strength, int moves)
    {
        using EditingLab lab = new();
        using DisposeScope inputs = NewDisposeScope();
        using SdEditResult result = SdEdit.Run(Problem(lab, "a cat"), new SdEditOptions { Strength = strength });
        Assert.Equal(moves, result.Moves);
        Assert.Equal(2 * moves, result.Evaluations);
    }

    [Fact]
    public void Run_MoreStrength_MovesFurther()
    {
        using EditingLab lab = new();
        using DisposeScope inputs = NewDisposeScope();
        using Tensor latents = Latents(lab, 1);
        double last = 0;
        foreach (double strength in new[] { 0.2, 0.6, 1.0 })
        {
            using SdEditResult result = SdEdit.Run(Problem(lab, "a cat"), new SdEditOptions { Strength = strength });
            using Tensor difference = result.Latents.sub(latents);
            double distance = difference.norm().item<double>();
            Assert.True(distance > last);
            last = distance;
        }
    }

    [Fact]
    public void Run_SameSeed_DoesNotDependOnTheBatch()
    {
        using EditingLab lab = new();
        using DisposeScope inputs = NewDisposeScope();
        using SdEditResult two = SdEdit.Run(Problem(lab, "a cat", "a dog"), new SdEditOptions { Seed = 3 });
        using SdEditResult one = SdEdit.Run(Problem(lab, "a cat"), new SdEditOptions { Seed = 3 });
        using SdEditResult other = SdEdit.Run(Problem(lab, "a cat"), new SdEditOptions { Seed = 4 });
        using DisposeScope scope = NewDisposeScope();
        Assert.True(MaxDifference(one.Latents, two.Latents.narrow(0, 0, 1)) < 1e-12);
        Assert.True(MaxDifference(one.Latents, other.Latents) > 1e-3);
    }

    [Fact]
    public void Run_Strength_NoisesToTheLevelOfItsMovesAndSamplesFromThere()
    {
        using EditingLab lab = new();
        using DisposeScope scope = NewDisposeScope();
        SdEditProblem problem = Problem(lab, "a cat");
        using SdEditResult result = SdEdit.Run(problem, new SdEditOptions { Strength = 0.4, Seed = 3 });
        Tensor noise = Seeds.Normal(3, [1, 4, 8, 8], problem.Latents);
        Tensor expected = Sampler.Run(
            problem.Predictor,
            lab.Grid,
            new SamplingPlan
            {
                StartLatents = NoiseSchedule.AddNoise(problem.Latents, noise, lab.Grid.Level(2)),
                Conditional = problem.Conditional,
                Unconditional = problem.Unconditional,
                GuidanceScale = 3,
                FirstStep = 3,
            }
        );
        Close(expected, result.Latents, 1e-12);
    }

    [Fact]
    public void Run_EqualImagesOfABatch_GetNoiseOfTheirOwn()
    {
        using EditingLab lab = new();
        using DisposeScope inputs = NewDisposeScope();
        using SdEditResult twice = SdEdit.Run(Problem(lab, "a cat", "a cat"), new SdEditOptions { Seed = 3 });
        using SdEditResult second = SdEdit.Run(Problem(lab, "a cat"), new SdEditOptions { Seed = 4 });
        using DisposeScope scope = NewDisposeScope();
        Assert.True(MaxDifference(twice.Latents[0], twice.Latents[1]) > 1e-3);
        Assert.True(MaxDifference(twice.Latents.narrow(0, 1, 1), second.Latents) < 1e-12);
    }

    [Fact]
    public void Run_NullText_ReadsTheEmbeddingsOfTheLastSteps()
    {
        using EditingLab lab = new();
        using DisposeScope inputs = NewDisposeScope();
        InversionResult inversion = lab.Inverted("a cat");
        using Tensor early = inversion.Unconditional.Values.clone();
        early.narrow(0, 0, 3).zero_();
        using StepEmbeddings changedEarly = StepEmbeddings.PerStep(early);
        SdEditProblem problem = Problem(lab, "a cat") with { Unconditional = inversion.Unconditional };
        SdEditOptions options = new() { Strength = 0.4 };
        using SdEditResult all = SdEdit.Run(problem, options),
            sameLate = SdEdit.Run(problem with { Unconditional = changedEarly }, options);
        using SdEditResult plain = SdEdit.Run(Problem(lab, "a cat"), options);
        Assert.Equal(0, MaxDifference(all.Latents, sameLate.Latents));
        Assert.True(MaxDifference(all.Latents, plain.Latents) > 1e-4);
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void Run_BadStrength_IsRefused(double strength)
    {
        using EditingLab lab = new();
        using DisposeScope inputs = NewDisposeScope();
        Assert.Throws<ArgumentOutOfRangeException>(() => SdEdit.Run(Problem(lab, "a cat"), new SdEditOptions { Strength = strength }));
    }

    private static SdEditProblem Problem(EditingLab lab, params string[] prompts) =>
        new()
        {
            Predictor = lab.Predictor(FusedAttention.Instance),
            Grid = lab.Grid,
            Latents = Latents(lab, prompts.Length),
            Conditional = lab.Embed(prompts),
            Unconditional = lab.Embed(""),
            GuidanceScale = 3,
        };

    private static Tensor Latents(EditingLab lab, int images)
    {
        using Generator generator = new(21);
        return randn([1, 4, 8, 8], generator: generator).to(lab.Dtype).expand(images, -1, -1, -1).contiguous();
    }
}
