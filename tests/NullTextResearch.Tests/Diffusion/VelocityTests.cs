using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Diffusion;

/// <summary>A network that predicts velocity behaves as the noise network of the same knowledge.</summary>
[LeavesNoTensors]
public sealed class VelocityTests
{
    [Theory]
    [InlineData(0.9999)]
    [InlineData(0.5)]
    [InlineData(0.0047)]
    public void ToNoise_OfTheDefinition_GivesTheNoise(double level)
    {
        using DisposeScope scope = NewDisposeScope();
        NoiseLevel alphaBar = NoiseLevel.VariancePreserving(level);
        Tensor image = randn([1, 4, 3, 3], ScalarType.Float64),
            noise = randn([1, 4, 3, 3], ScalarType.Float64);
        Tensor velocity = noise.Times(Math.Sqrt(level)).sub(image.Times(Math.Sqrt(1 - level)));
        Tensor latents = NoiseSchedule.AddNoise(image, noise, alphaBar);
        TensorAssert.Close(noise, VelocityPredictor.ToNoise(velocity, latents, alphaBar), 1e-12);
        TensorAssert.Close(velocity, VelocityPredictor.ToVelocity(noise, latents, alphaBar), 1e-10);
    }

    [Fact]
    public void Inversions_ThroughVelocity_EqualThoseThroughNoise()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2, steps: 8);
        InversionProblem velocity = problem with
        {
            Predictor = new VelocityPredictor(new AsVelocity(problem.Predictor, problem.Grid.Schedule), problem.Grid.Schedule),
        };
        foreach (
            (string name, Func<IInversion> make) in ((string, Func<IInversion>)[])
                [
                    ("ddim", () => new DdimInversion()),
                    ("null-text", () => new NullTextInversion(NullTextOptions.Default with { InnerSteps = 3 })),
                    ("direct", () => new DirectInversion()),
                ]
        )
        {
            using InversionResult one = make().Invert(problem),
                other = make().Invert(velocity);
            for (int level = 0; level <= 8; level++)
                TensorAssert.Close(one.Pivot![level], other.Pivot![level], 1e-9);
            using Tensor a = Sampler.Run(problem.Predictor, problem.Grid, one.Plan),
                b = Sampler.Run(velocity.Predictor, velocity.Grid, other.Plan);
            Assert.True(TensorAssert.MaxDifference(a, b) < 1e-6, name);
        }
    }

    [Fact]
    public void Predict_GradientReachesTheEmbedding()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem();
        NoiseSchedule schedule = problem.Grid.Schedule;
        DiffusionStep step = problem.Grid.Moves[4];
        Tensor Gradient(INoisePredictor predictor)
        {
            Tensor embedding = problem.Conditional.Tokens.clone().requires_grad_(true);
            predictor.Predict(problem.Latents, step, embedding).Squared().sum().backward();
            return embedding.grad!;
        }

        TensorAssert.Close(Gradient(problem.Predictor), Gradient(new VelocityPredictor(new AsVelocity(problem.Predictor, schedule), schedule)), 1e-12);
    }

    /// <summary>An inversion may hand the network latents of a neighbouring level: what counts is the timestep it is told.</summary>
    [Fact]
    public void Predict_ToldAnotherTimestepThanTheMoves_ConvertsAtItsLevel()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem();
        NoiseSchedule schedule = problem.Grid.Schedule;
        DiffusionStep step = problem.Grid.Moves[4] with { Timestep = problem.Grid.CleanTimestep(4) };
        // The toy network taken as one of velocity.
        Tensor expected = VelocityPredictor.ToNoise(
            problem.Predictor.Predict(problem.Latents, step, problem.Conditional),
            problem.Latents,
            schedule.At(step.Timestep)
        );
        TensorAssert.Close(expected, new VelocityPredictor(problem.Predictor, schedule).Predict(problem.Latents, step, problem.Conditional), 1e-14);
    }

    [Fact]
    public void Guidance_OfVelocities_IsThatOfNoises()
    {
        using DisposeScope scope = NewDisposeScope();
        NoiseLevel level = NoiseLevel.VariancePreserving(0.3);
        Tensor z = randn([1, 4, 3, 3], ScalarType.Float64),
            a = randn([1, 4, 3, 3], ScalarType.Float64),
            b = randn([1, 4, 3, 3], ScalarType.Float64);
        Tensor guidedThenConverted = VelocityPredictor.ToNoise(Guidance.Combine(a, b, 7.5), z, level);
        Tensor convertedThenGuided = Guidance.Combine(VelocityPredictor.ToNoise(a, z, level), VelocityPredictor.ToNoise(b, z, level), 7.5);
        TensorAssert.Close(guidedThenConverted, convertedThenGuided, 1e-12);
    }

    [Fact]
    public void ZeroTerminalSnr_KeepsTheFirstLevelAndEmptiesTheLast()
    {
        NoiseSchedule plain = NoiseSchedule.StableDiffusion,
            shifted = NoiseSchedule.Of(
                new ScheduleConfig
                {
                    ZeroTerminalSnr = true,
                    Prediction = PredictionType.Velocity,
                    Spacing = TimestepSpacing.Trailing,
                }
            );
        Assert.Equal(plain.At(0).AlphaBar, shifted.At(0).AlphaBar, 1e-12);
        Assert.Equal(NoiseSchedule.NoSignal, shifted.At(999).AlphaBar);
        Assert.All(shifted.AlphaBars.Zip(shifted.AlphaBars.Skip(1)), pair => Assert.True(pair.First > pair.Second));
        // Algorithm 1 of Lin et al. at one level, worked out by hand from sqrt(alphaBar): (s - sT) s0 / (s0 - sT).
        double s0 = Math.Sqrt(plain.At(0).AlphaBar),
            sT = Math.Sqrt(plain.At(999).AlphaBar),
            s = Math.Sqrt(plain.At(500).AlphaBar);
        Assert.Equal(Math.Pow((s - sT) * s0 / (s0 - sT), 2), shifted.At(500).AlphaBar, 1e-12);
        Assert.Contains(
            "predicts velocity",
            Assert.Throws<ArgumentException>(() => NoiseSchedule.Of(new ScheduleConfig { ZeroTerminalSnr = true })).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void ZeroTerminalSnr_FirstMove_IsThatOfTheExactZero()
    {
        using DisposeScope scope = NewDisposeScope();
        NoiseSchedule schedule = NoiseSchedule.Of(
            new ScheduleConfig
            {
                ZeroTerminalSnr = true,
                Prediction = PredictionType.Velocity,
                Spacing = TimestepSpacing.Trailing,
            }
        );
        DiffusionStep step = new TimestepGrid(schedule, 50).Moves[0];
        Assert.Equal(999, step.Timestep);
        Tensor noise = randn([1, 4, 8, 8]),
            velocity = randn([1, 4, 8, 8]);
        // At no signal the latents are the noise and the velocity is minus the image; in single precision, as sampling runs.
        Tensor exact = noise
            .to(ScalarType.Float64)
            .Times(Math.Sqrt(1 - step.Clean.AlphaBar))
            .sub(velocity.to(ScalarType.Float64).Times(Math.Sqrt(step.Clean.AlphaBar)));
        Tensor moved = Ddim.Move(noise, VelocityPredictor.ToNoise(velocity, noise, step.Noisy), step.Noisy, step.Clean);
        // What the small rest of signal costs: its amplitude, 2^-12, times the largest of 256 normal numbers.
        TensorAssert.Close(exact, moved.to(ScalarType.Float64), 6 * Math.Sqrt(NoiseSchedule.NoSignal));
    }

    private sealed class AsVelocity(INoisePredictor noise, NoiseSchedule schedule) : INoisePredictor
    {
        public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition) =>
            VelocityPredictor.ToVelocity(noise.Predict(latents, step, condition), latents, schedule.At(step.Timestep));
    }
}
