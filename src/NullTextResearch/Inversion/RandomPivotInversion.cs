using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Null-text optimisation against a pivot that no inversion found: the image with one random noise per image, scaled to each
/// noise level. Mokady et al., section 4 ("random pivot").
/// </summary>
/// <param name="options">Options; null means those of null-text inversion. Those of its DDIM inversion are not used.</param>
/// <param name="seed">Seed of the noise; together with the key of an image it decides that image's noise.</param>
public sealed class RandomPivotInversion(NullTextOptions? options = null, long seed = 0) : IInversion
{
    private readonly NullTextOptions _options = options ?? NullTextOptions.Default;

    /// <inheritdoc/>
    public string Name => "random pivot";

    /// <inheritdoc/>
    public object Options => new RandomPivotOptions(_options, seed);

    /// <inheritdoc/>
    public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        _options.Validate();
        InversionMeter meter = new(problem.Predictor, problem.Images);
        return new PivotalOptimisation(Name, problem with { Predictor = meter }, _options, Trained.Unconditional, meter).Run(
            Trajectory(problem, seed),
            null,
            null,
            new RandomPivotOptions(_options, seed),
            progress,
            cancellation
        );
    }

    /// <summary>The pivot alone: z_0 at level 0, and sqrt(alphaBar) z_0 + sqrt(1 - alphaBar) noise above it.</summary>
    /// <param name="problem">Images and grid.</param>
    /// <param name="seed">Seed of the noise.</param>
    /// <returns>T+1 latents, owned by the caller.</returns>
    public static PivotTrajectory Trajectory(InversionProblem problem, long seed)
    {
        problem.Validate();
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Tensor noise = Draws.Noise(problem, seed, 0);
        return new PivotTrajectory(
            Enumerable
                .Range(0, problem.Grid.Steps + 1)
                // The cleanest level of the schedule still has a little noise; the image itself is what sampling should end at.
                .Select(level => level == 0 ? problem.Latents : NoiseSchedule.AddNoise(problem.Latents, noise, problem.Grid.Level(level)))
        );
    }
}

/// <summary>The options of <see cref="RandomPivotInversion"/>, as its results report them.</summary>
/// <param name="Optimisation">Options of the optimisation.</param>
/// <param name="Seed">Seed of the noise.</param>
public sealed record RandomPivotOptions(NullTextOptions Optimisation, long Seed);
