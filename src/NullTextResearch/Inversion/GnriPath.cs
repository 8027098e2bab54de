using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Guided Newton-Raphson inversion: the equation of each step, y = move(z, eps(y, t)), is solved by Newton steps on a scalar, the summed residual plus a term
/// that guides towards likely latents. The best of all evaluated points is kept. Samuel et al. 2024 (arXiv 2312.12540).
/// </summary>
/// <param name="options">Options; null for the defaults.</param>
public sealed class GnriPath(GnriOptions? options = null) : IPath
{
    private const double PublishedValues = 64 * 64 * 4;

    private readonly GnriOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "guided Newton-Raphson inversion";

    /// <inheritdoc/>
    public Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        _options.Validate();
        return new Walk { Levels = problem.Climb(Name, (z, step) => Next(problem, z, step, cancellation), progress, cancellation) };
    }

    private Tensor Next(InversionProblem problem, Tensor z, DiffusionStep step, CancellationToken cancellation)
    {
        double values = _options.PublishedCount ? PublishedValues : z[0].numel();
        Tensor y = z;
        Tensor? best = null,
            least = null;
        for (int i = 0; i < _options.Iterations; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            bool isLast = i == _options.Iterations - 1;
            Tensor point = y;
            (Tensor x, Tensor? slope) = Try(problem, z, point, step, needsSlope: !isLast);
            Tensor objective = Objective(problem, x, point, step);
            Tensor score = objective.mean([1, 2, 3], keepdim: true);
            if (best is null || least is null)
                (best, least) = (x, score);
            else
                (best, least) = (where(score.lt(least), x, best), score.minimum(least));
            if (slope is null)
                break;
            Tensor move = objective.sum([1, 2, 3], keepdim: true).div(slope).Over(values);
            y = y.sub(where(slope.abs().Below(_options.LeastSlope), zeros_like(move), move));
        }
        return best!;
    }

    /// <summary>Where the step leads from a point, and the slope of the summed objective there.</summary>
    private (Tensor X, Tensor? Slope) Try(InversionProblem problem, Tensor z, Tensor y, DiffusionStep step, bool needsSlope)
    {
        if (!needsSlope || _options.PublishedSlope)
        {
            Tensor x = Ddim.Move(z, problem.Predictor.Predict(y, step, problem.Conditional), step.Clean, step.Noisy);
            return (x, needsSlope ? Direct(problem, x, y, step) : null);
        }
        PredictionGradient through = problem.Predictor.Differentiate(
            y,
            step,
            problem.Conditional,
            prediction => Objective(problem, Ddim.Move(z, prediction, step.Clean, step.Noisy), y, step).sum([1, 2, 3]),
            GradientOf.Latents
        );
        Tensor led = Ddim.Move(z, through.Prediction, step.Clean, step.Noisy);
        return (led, Direct(problem, led, y, step).Plus(through.Latents!));
    }

    /// <summary>|x - y| + alpha / 2 ((value - mean) / deviation)^2, [B, 4, H, W].</summary>
    private Tensor Objective(InversionProblem problem, Tensor x, Tensor y, DiffusionStep step) =>
        Lifetime.Scoped(() => x.sub(y).abs().Plus(Off(problem, _options.PublishedPrior ? x : y, step).Squared().Times(_options.PriorWeight / 2)));

    /// <summary>The slope of the objective through its direct dependence on y, without the network.</summary>
    private Tensor Direct(InversionProblem problem, Tensor x, Tensor y, DiffusionStep step) =>
        Lifetime.Scoped(() =>
        {
            Tensor slope = x.sub(y).sign().Times(-1);
            return _options.PublishedPrior ? slope : slope.Plus(Off(problem, y, step).Times(_options.PriorWeight / Spread(step)));
        });

    /// <summary>Distance of latents from the mean of the image's noisy versions, in standard deviations.</summary>
    private Tensor Off(InversionProblem problem, Tensor latents, DiffusionStep step) =>
        Lifetime.Scoped(() => latents.sub(_options.PublishedPrior ? problem.Latents : problem.Latents.Times(step.Noisy.Signal)).Over(Spread(step)));

    private double Spread(DiffusionStep step) => _options.PublishedPrior ? Sigma(step.Noisy) : step.Noisy.Noise;

    /// <summary>sqrt((1 - alphaBar) / alphaBar): the ratio of noise to image.</summary>
    internal static double Sigma(NoiseLevel level) => Math.Sqrt((1 - level.AlphaBar) / level.AlphaBar);
}
