using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Edit-friendly DDPM inversion: every level is the image with its own noise, and the noise of each sampling step is computed so that the step leads from one
/// level to the next. Huberman-Spiegelglas et al. 2024 (arXiv 2304.06140).
/// </summary>
/// <param name="options">Options; null for the defaults.</param>
public sealed class EditFriendlyPath(EditFriendlyOptions? options = null) : IPath
{
    private readonly EditFriendlyOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "edit-friendly DDPM inversion";

    /// <summary>Noise of level k, from 1 (least noisy) to T, instead of drawn noise: [B, 4, H, W], borrowed; null to draw it.</summary>
    public Func<int, Tensor>? Noise { get; init; }

    /// <inheritdoc/>
    public Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        _options.Validate();
        TimestepGrid grid = problem.Grid;
        int steps = grid.Steps;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Tensor[] levels =
        [
            problem.Latents.detach(),
            .. Enumerable
                .Range(1, steps)
                .Select(k => NoiseSchedule.AddNoise(problem.Latents, Noise?.Invoke(k) ?? Draws.Noise(problem, _options.Seed, k), grid.Level(k))),
        ];
        Tensor[] noises = new Tensor[steps];
        foreach (DiffusionStep step in grid.Moves)
        {
            cancellation.ThrowIfCancellationRequested();
            int target = steps - 1 - step.Step;
            EditFriendlyReplay.Rule rule = EditFriendlyReplay.Rule.Of(step, _options.Eta, _options.PublishedEta);
            using DisposeScope inner = NewDisposeScope();
            Tensor mean = rule.Mean(levels[target + 1], problem.Predict(levels[target + 1], step, _options.GuidanceScale));
            bool isNone = rule.Deviation == 0 || (_options.PublishedLastStep && target == 0);
            Tensor noise = isNone ? zeros_like(mean) : levels[target].sub(mean).Over(rule.Deviation);
            noises[step.Step] = noise.MoveToOuterDisposeScope();
            // The latents that a sampler will have; they differ from the level by rounding.
            if (target > 0)
                levels[target] = mean.Plus(noise.Times(rule.Deviation)).MoveToOuterDisposeScope();
            progress?.Report(new InversionProgress(Name, step.Step + 1, steps));
        }
        return new Walk
        {
            Levels = new PivotTrajectory(levels),
            Replay = new EditFriendlyReplay(stack(noises).Keep(), _options.Eta, _options.PublishedEta, (int)(_options.Skip * steps), _options.GuidanceScale),
        };
    }
}
