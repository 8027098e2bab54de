using NullTextResearch.Diffusion;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// BDIA: each level is computed from the two below it by DDIM moves in both directions with one noise prediction. This relation can be solved for the lowest of
/// the three levels. Zhang et al. 2023 (arXiv 2307.10829).
/// </summary>
/// <remarks>Sampling back is exact up to rounding errors, which each inversion step multiplies by 1/gamma.</remarks>
/// <param name="options">Options; null for the defaults.</param>
public sealed class BdiaPath(BdiaOptions? options = null) : IPath
{
    private readonly BdiaOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "BDIA";

    /// <inheritdoc/>
    public Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        _options.Validate();
        return new TwoStepClimb
        {
            Name = Name,
            Kind = BdiaOptions.PathId,
            Rule = (clean, middle, noisy) => Rule(clean, middle, noisy, _options.Gamma),
            Strength = _options.Strength,
            GuidanceScale = _options.GuidanceScale,
            CleanImage = _options.CleanImage,
            FirstNoise = FirstNoise(),
        }.Climb(problem, progress, cancellation);
    }

    /// <summary>The rule for three neighbouring levels.</summary>
    /// <param name="clean">Cleanest of the three.</param>
    /// <param name="middle">Between them.</param>
    /// <param name="noisy">Noisiest.</param>
    /// <param name="gamma">How much of the move between the outer two is undone.</param>
    public static TwoStepRule Rule(NoiseLevel clean, NoiseLevel middle, NoiseLevel noisy, double gamma) =>
        new(
            1 / gamma,
            NoiseLevel.SignalRatio(middle, noisy) - (NoiseLevel.SignalRatio(middle, clean) / gamma),
            Ddim.NoiseCoefficient(middle, noisy) - (Ddim.NoiseCoefficient(middle, clean) / gamma)
        );

    private Func<InversionProblem, DiffusionStep, Tensor>? FirstNoise() =>
        _options.FirstMove switch
        {
            BdiaFirstMove.WithoutNoise => (problem, _) => ones_like(problem.Latents),
            BdiaFirstMove.StrideBelow => (problem, step) =>
                problem.Predict(problem.Latents, step with { Timestep = step.Timestep - problem.Grid.Stride }, _options.GuidanceScale),
            _ => null,
        };
}
