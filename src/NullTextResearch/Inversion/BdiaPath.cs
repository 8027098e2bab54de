using NullTextResearch.Diffusion;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>How the first move is made, before there are two latents to go on from.</summary>
public enum BdiaFirstMove
{
    /// <summary>A DDIM move from the image.</summary>
    Ddim,

    /// <summary>A DDIM move whose noise prediction is 1 everywhere: a factor is missing in a published re-implementation.</summary>
    WithoutNoise,

    /// <summary>A DDIM move, with the network asked one stride below the first timestep, which may be negative: the authors' code.</summary>
    StrideBelow,
}

/// <summary>Options of <see cref="BdiaPath"/>.</summary>
public sealed record BdiaOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "bdia";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>
    /// gamma, above 0 to 1 (default 0.96): how much of the last two-level move is undone before the next. Each step of the climb divides by it, so
    /// that small values blow latents and rounding up.
    /// </summary>
    public double Gamma { get; init; } = 0.96;

    /// <summary>Share of the noise levels that are climbed, above 0 to 1 (default 1), two at least: less keeps more of the image in an edit.</summary>
    public double Strength { get; init; } = 1;

    /// <summary>w of the inversion, and of the source when sampling, finite (default 1).</summary>
    public double GuidanceScale { get; init; } = 1;

    /// <summary>Whether the image has signal level 1, or that of the schedule's clean end (default; the authors' code).</summary>
    public bool CleanImage { get; init; }

    /// <summary>How the first move is made (default: by DDIM).</summary>
    public BdiaFirstMove FirstMove { get; init; }

    /// <inheritdoc/>
    public override IPath Create() => new BdiaPath(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems()
    {
        if (!(Gamma is > 0 and <= 1))
            yield return FormattableString.Invariant($"Gamma is {Gamma}; it must lie above 0 and up to 1.");
        if (!(Strength is > 0 and <= 1))
            yield return FormattableString.Invariant($"Strength is {Strength}; it must lie above 0 and up to 1.");
        if (!double.IsFinite(GuidanceScale))
            yield return FormattableString.Invariant($"GuidanceScale is {GuidanceScale}; it must be finite.");
        if (!Enum.IsDefined(FirstMove))
            yield return $"FirstMove is {FirstMove}; it must be one of {string.Join(", ", Enum.GetNames<BdiaFirstMove>())}.";
    }
}

/// <summary>
/// BDIA: each level is made from the two below it by DDIM moves in both directions with one noise prediction, a relation that can be solved for the
/// lowest of the three. Zhang et al. 2023 (arXiv 2307.10829).
/// </summary>
/// <remarks>The way back is exact up to rounding, which the climb multiplies by 1/gamma a step.</remarks>
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

    /// <summary>The rule of three neighbouring levels..</summary>
    /// <param name="clean">Cleanest of the three.</param>
    /// <param name="middle">Between them.</param>
    /// <param name="noisy">Noisiest.</param>
    /// <param name="gamma">How much of the move between the outer two is undone.</param>
    public static TwoStepRule Rule(AlphaBar clean, AlphaBar middle, AlphaBar noisy, double gamma) =>
        new(
            1 / gamma,
            Math.Sqrt(noisy.Value / middle.Value) - (Math.Sqrt(clean.Value / middle.Value) / gamma),
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
