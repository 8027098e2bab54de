using NullTextResearch.Diffusion;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// The image plus one random noise per image, scaled to each noise level: a path computed without the network. Mokady et al., section 4 ("random pivot").
/// </summary>
/// <param name="options">Options; null for seed 0.</param>
public sealed class RandomNoisePath(RandomNoiseOptions? options = null) : IPath
{
    /// <inheritdoc/>
    public string Name => "random noise";

    /// <inheritdoc/>
    public Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return new Walk { Levels = Trajectory(problem, options?.Seed ?? 0) };
    }

    /// <summary>The levels alone: z_0 at level 0, and sqrt(alphaBar) z_0 + sqrt(1 - alphaBar) noise above it.</summary>
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
                // The cleanest level of the schedule still has a little noise, but sampling should end at the image itself.
                .Select(level => level == 0 ? problem.Latents : NoiseSchedule.AddNoise(problem.Latents, noise, problem.Grid.Level(level)))
        );
    }
}
