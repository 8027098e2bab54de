using System.Diagnostics;
using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>SDEdit: add noise up to a level, denoise with the target prompt. No inversion, no attention control.</summary>
/// <remarks>
/// Meng et al. 2022; Mokady et al. 2023, Fig. 8, compare it with and without null-text embeddings. They do not name the sampler and guidance; here it is DDIM,
/// with the same guidance as everything else.
/// </remarks>
public static class SdEdit
{
    /// <summary>Edits a batch of images.</summary>
    /// <param name="problem">Images and prompts.</param>
    /// <param name="options">Options; null for the defaults.</param>
    /// <param name="cancellation">Checked at every step.</param>
    /// <returns>The result, owned by the caller.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The strength is not between 0 and 1.</exception>
    public static SdEditResult Run(SdEditProblem problem, SdEditOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new SdEditOptions();
        if (!(options.Strength is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(
                nameof(options),
                options.Strength,
                "The strength t0 must lie between 0 (nothing changes) and 1 (start from noise)."
            );
        Shape.Require(problem.Latents, [-1, -1, -1, -1]);
        Stopwatch clock = Stopwatch.StartNew();
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        int moves = (int)(options.Strength * problem.Grid.Steps);
        long[] one = [1, .. problem.Latents.shape[1..]];
        Tensor noise = cat([.. Enumerable.Range(0, (int)problem.Latents.shape[0]).Select(i => Seeds.Normal(options.Seed + i, one, problem.Latents))], 0);
        CountingPredictor predictor = new(problem.Predictor);
        Tensor start = moves == 0 ? problem.Latents.alias() : NoiseSchedule.AddNoise(problem.Latents, noise, problem.Grid.Level(moves));
        Tensor latents = Sampler.Run(
            predictor,
            problem.Grid,
            new SamplingPlan
            {
                StartLatents = start,
                Conditional = problem.Conditional,
                Unconditional = problem.Unconditional,
                GuidanceScale = problem.GuidanceScale,
                FirstStep = problem.Grid.Steps - moves,
            },
            cancellation: cancellation
        );
        return new SdEditResult
        {
            Latents = latents.Snapshot(),
            Moves = moves,
            Evaluations = predictor.Evaluations,
            Elapsed = clock.Elapsed,
            Options = options,
        };
    }
}
