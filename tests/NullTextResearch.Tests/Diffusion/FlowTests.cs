using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Diffusion;

/// <summary>The methods of a diffusion model on a rectified flow: the same code, other noise levels.</summary>
[LeavesNoTensors]
public sealed class FlowTests
{
    public static TheoryData<string> Paths => [.. PathCatalogue.All.Select(p => p.Id)];

    [Theory]
    [InlineData(0)]
    [InlineData(0.25)]
    [InlineData(1)]
    public void Levels_OfBothKinds_AreTheirFormulas(double x)
    {
        NoiseLevel flow = NoiseLevel.Flow(x),
            preserving = NoiseLevel.VariancePreserving(x);
        Assert.Equal((1 - x, x), (flow.Signal, flow.Noise));
        Assert.Equal((Math.Sqrt(x), Math.Sqrt(1 - x), x), (preserving.Signal, preserving.Noise, preserving.AlphaBar));
        // What a noise-predicting network sees is the ratio of both factors, whatever their size.
        Assert.Equal(flow.Signal * flow.Signal * (1 - flow.AlphaBar), flow.Noise * flow.Noise * flow.AlphaBar, 1e-15);
        Assert.Equal(1, flow.Image.Signal);
        Assert.Equal(0, preserving.Image.Noise);
    }

    [Theory]
    [InlineData(-0.01)]
    [InlineData(1.01)]
    [InlineData(double.NaN)]
    public void Levels_OutOfRange_AreRefused(double x)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => NoiseLevel.Flow(x));
        Assert.Throws<ArgumentOutOfRangeException>(() => NoiseLevel.VariancePreserving(x));
    }

    [Theory]
    [InlineData(0.8, 0.6)]
    [InlineData(0.3, 0.9)]
    [InlineData(0.5, 0)]
    public void Move_BetweenTimesOfAFlow_IsTheEulerStep(double from, double to)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor latents = ScalarArithmetic.Range(16, ScalarType.Float64).sin().reshape(1, 4, 2, 2),
            direction = ScalarArithmetic.Range(16, ScalarType.Float64).Times(1.3).cos().reshape(1, 4, 2, 2);
        NoiseLevel here = NoiseLevel.Flow(from);
        Tensor moved = Ddim.Move(latents, FlowPredictor.ToNoise(direction, latents, here), here, NoiseLevel.Flow(to));
        TensorAssert.Close(latents.Plus(direction.Times(to - from)), moved, 1e-13);
    }

    [Fact]
    public void Move_FromOneKindToTheOther_StaysOnTheNoisedImage()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor image = ScalarArithmetic.Range(16, ScalarType.Float64).sin().reshape(1, 4, 2, 2),
            noise = ScalarArithmetic.Range(16, ScalarType.Float64).Times(1.3).cos().reshape(1, 4, 2, 2);
        NoiseLevel from = NoiseLevel.Flow(0.7),
            to = NoiseLevel.VariancePreserving(0.4);
        TensorAssert.Close(NoiseSchedule.AddNoise(image, noise, to), Ddim.Move(NoiseSchedule.AddNoise(image, noise, from), noise, from, to), 1e-13);
    }

    [Theory]
    [InlineData(1, 500, 0.501)]
    [InlineData(3, 500, 0.75075)]
    public void Schedule_Shifted_HasThePublishedTimes(double shift, int timestep, double sigma)
    {
        NoiseSchedule schedule = NoiseSchedule.RectifiedFlow(shift: shift);
        Assert.Equal(sigma, schedule.At(timestep).Noise, 1e-4);
        TimestepGrid grid = new(schedule, 10);
        Assert.Equal(1, grid.Level(0).Signal);
        Assert.InRange(grid.Level(10).Noise, 0.999, 0.9999);
        Assert.Throws<ArgumentOutOfRangeException>(() => NoiseSchedule.RectifiedFlow(shift: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => NoiseSchedule.RectifiedFlow(timesteps: 1));
    }

    [Fact]
    public void Predictor_OnAScheduleThatIsNoFlow_IsRefused() =>
        Assert.Contains("RectifiedFlow", Assert.Throws<ArgumentException>(() => new FlowPredictor(new ToyPredictor(), NoiseSchedule.StableDiffusion)).Message);

    /// <summary>Latents act on a converted prediction past the network as well; both adapters have to see it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Differentiate_ByTokensAndLatents_IsTheGradientOfTheNoise(bool isFlow)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = isFlow ? Flow(8) : Velocity(8);
        DiffusionStep step = problem.Grid.Moves[3];
        PredictionGradient own = problem.Predictor.Differentiate(problem.Latents, step, problem.Conditional, Loss, GradientOf.Tokens | GradientOf.Latents);

        Tensor tokens = problem.Conditional.Tokens.clone().requires_grad_(true),
            latents = problem.Latents.clone().requires_grad_(true);
        Tensor noise = problem.Predictor.Predict(latents, step, tokens);
        Loss(noise).sum().backward();
        TensorAssert.Close(tokens.grad!, own.Tokens!, 1e-12);
        TensorAssert.Close(latents.grad!, own.Latents!, 1e-12);
        TensorAssert.Close(noise.detach(), own.Prediction, 1e-12);

        static Tensor Loss(Tensor prediction) => prediction.Squared().mul(prediction.sin()).flatten(1).sum(1);
    }

    [Fact]
    public void NullText_OnAFlow_ComesBackWhereDdimDoesNot()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = Flow(10);
        using InversionResult ddim = new DdimInversion().Invert(problem),
            nullText = new NullTextInversion(NullTextOptions.Default with { InnerSteps = 40, StopEarly = false }).Invert(problem);
        using Tensor plain = Sampler.Run(problem.Predictor, problem.Grid, ddim.Plan),
            tuned = Sampler.Run(problem.Predictor, problem.Grid, nullText.Plan);
        double before = TensorAssert.MeanSquare(plain, problem.Latents),
            after = TensorAssert.MeanSquare(tuned, problem.Latents);
        Assert.True(after < before / 20, $"null text {after:e2}, DDIM {before:e2}");
    }

    /// <summary>A path takes the image to noise and back on a flow, or says that it cannot.</summary>
    [Theory]
    [MemberData(nameof(Paths))]
    public void Path_OnAFlow_ComesBackOrSaysThatItNeedsAnotherModel(string id)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = Flow(40) with { GuidanceScale = 1 };
        PathInversion inversion = new(PathCatalogue.Find(id).With(3));
        if (id is "edit-friendly")
        {
            Assert.Contains("rectified flow", Assert.Throws<NotSupportedException>(() => inversion.Invert(problem)).Message, StringComparison.Ordinal);
            return;
        }

        using InversionResult result = inversion.Invert(problem);
        using Tensor back = Sampler.Run(problem.Predictor, problem.Grid, result.Plan);
        Assert.True(back.isfinite().all().item<bool>());
        // What 40 Euler steps up and 40 down leave; more where the noise is pulled towards what is typical. Random noise does not lead back to the image.
        if (id != "random-noise")
            Assert.InRange(TensorAssert.MeanSquare(back, problem.Latents), 0, id is "renoise" or "gnri" ? 0.2 : 0.01);
    }

    private static InversionProblem Flow(int steps)
    {
        InversionProblem toy = new ToyPredictor().Problem();
        NoiseSchedule schedule = NoiseSchedule.RectifiedFlow();
        return toy with { Grid = new TimestepGrid(schedule, steps), Predictor = new FlowPredictor(toy.Predictor, schedule) };
    }

    // The toy network taken as one of velocity.
    private static InversionProblem Velocity(int steps)
    {
        InversionProblem toy = new ToyPredictor().Problem(steps: steps);
        return toy with { Predictor = new VelocityPredictor(toy.Predictor, toy.Grid.Schedule) };
    }
}
