using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Inversion;

/// <summary>The baselines that do not optimise.</summary>
[LeavesNoTensors]
public class BaselineTests
{
    [Fact]
    public void NegativePrompt_AtAnyScale_SamplesAsGuidanceOne()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem guided = predictor.Problem(images: 2, guidanceScale: 7.5);
        InversionProblem plain = predictor.Problem(images: 2, guidanceScale: 1);
        using InversionResult negative = new NegativePromptInversion().Invert(guided);
        using InversionResult ddim = new DdimInversion().Invert(plain);
        TensorAssert.Close(AllInversions.Reconstruct(plain, ddim), AllInversions.Reconstruct(guided, negative), 1e-12);
    }

    [Fact]
    public void NegativePrompt_FullyInterpolated_IsPlainDdim()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        using InversionResult far = new NegativePromptInversion(new NegativePromptOptions { Interpolation = 1 }).Invert(problem);
        TensorAssert.Close(problem.Unconditional.Tokens.expand(2, -1, -1), far.Unconditional.Values, 1e-12);
    }

    [Fact]
    public void Slerp_BetweenUnitVectors_StaysOnTheSphereAndHalvesTheAngle()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor a = tensor(
            new[,]
            {
                { 1.0, 0, 0 },
                { 0, 1, 0 },
            }
        );
        Tensor b = tensor(
            new[,]
            {
                { 0.0, 1, 0 },
                { 0, 1, 0 },
            }
        );
        Tensor half = NegativePromptInversion.Slerp(a, b, 0.5);
        TensorAssert.Close(
            tensor(
                new[,]
                {
                    { Math.Sqrt(0.5), Math.Sqrt(0.5), 0 },
                    { 0, 1, 0 },
                }
            ),
            half,
            1e-12
        );
        Tensor third = NegativePromptInversion.Slerp(a, b, 1 / 3.0);
        Assert.Equal(Math.Cos(Math.PI / 6), third[0, 0].item<double>(), 12);
        TensorAssert.Close(a, NegativePromptInversion.Slerp(a, b, 0), 1e-12);
    }

    [Theory]
    [InlineData(0.05)]
    [InlineData(1e-4)]
    public void Slerp_AtASmallAngle_StillFollowsTheArc(double angle)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor a = tensor(
                new[,]
                {
                    { 2.0, 0, 0 },
                }
            ),
            b = tensor(
                new[,]
                {
                    { 2 * Math.Cos(angle), 2 * Math.Sin(angle), 0 },
                }
            );
        // Straight interpolation would be off by about angle squared / 4.
        TensorAssert.Close(
            tensor(
                new[,]
                {
                    { 2 * Math.Cos(0.3 * angle), 2 * Math.Sin(0.3 * angle), 0 },
                }
            ),
            NegativePromptInversion.Slerp(a, b, 0.3),
            1e-11
        );
    }

    [Fact]
    public void Direct_Sampled_ReconstructsExactly()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 3);
        using InversionResult result = new DirectInversion().Invert(problem);
        TensorAssert.Close(problem.Latents, AllInversions.Reconstruct(problem, result), 1e-12);
        Assert.Equal(10 + 2 * 10, result.EvaluationsPerImage);
    }

    [Fact]
    public void Offsets_ForFurtherPrompts_KeepEveryRowOnThePivot()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem();
        using PivotTrajectory pivot = DdimInversion.Trajectory(problem);
        Tensor prompts = cat([problem.Conditional.Tokens, problem.Conditional.Tokens.neg()], 0);
        Tensor offsets = DirectInversion.Offsets(problem, pivot, prompts);
        Assert.Equal([10, 2, 4, 2, 2], offsets.shape);
        using StepEmbeddings conditional = StepEmbeddings.Constant(prompts),
            unconditional = StepEmbeddings.Constant(problem.Unconditional);
        Tensor both = Sampler.Run(
            predictor,
            problem.Grid,
            new SamplingPlan
            {
                StartLatents = pivot.Noisiest.expand(2, -1, -1, -1),
                Conditional = conditional,
                Unconditional = unconditional,
                Replay = new OffsetReplay(offsets),
            }
        );
        TensorAssert.Close(problem.Latents.expand(2, -1, -1, -1), both, 1e-12);
    }
}
