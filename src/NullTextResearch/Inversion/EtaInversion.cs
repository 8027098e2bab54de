using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Eta inversion: stochastic sampling with the same noise for an image and its edited versions. At each step the best of several draws is used, the one that
/// takes the image closest to its pivot; then the image is put on the pivot. More noise gives the edit more freedom. No optimisation. Kang et al. 2024 (arXiv
/// 2403.09468).
/// </summary>
/// <remarks>
/// The published code chooses the noise during editing. Here it is chosen once, during inversion, because the image's own branch is on the pivot at every step.
/// The guidance scale of the problem is used: an edit at another scale gets the same noise.
/// </remarks>
/// <param name="options">Options; null for the defaults.</param>
public sealed class EtaInversion(EtaOptions? options = null) : IInversion
{
    private readonly EtaOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "eta inversion";

    /// <inheritdoc/>
    public object Options => _options;

    /// <summary>Draws of a step instead of random ones, [draws, B, 4, H, W], borrowed; null to draw them.</summary>
    public Func<DiffusionStep, Tensor>? Noise { get; init; }

    /// <summary>Receives the choice of each step; null to disable.</summary>
    public Action<EtaChoice>? Observer { get; init; }

    /// <inheritdoc/>
    public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        OptionProblems.ThrowIfAny(nameof(EtaOptions), _options.Problems());
        InversionMeter meter = new(problem.Predictor, problem.Images);
        InversionProblem counted = problem with { Predictor = meter };
        PivotTrajectory pivot = _options.Inversion.ClimbPlain(counted, Name, progress, cancellation);
        try
        {
            using DisposeScope scope = NewDisposeScope();
            using IDisposable grad = no_grad();
            Tensor noises = Choose(counted, pivot, progress, cancellation),
                targets = stack([.. problem.Grid.Moves.Select(pivot.TargetOf)]);
            return new InversionResult
            {
                Method = Name,
                GuidanceScale = problem.GuidanceScale,
                StartLatents = pivot.Noisiest.Snapshot(),
                Conditional = StepEmbeddings.Constant(problem.Conditional),
                Unconditional = StepEmbeddings.Constant(problem.Unconditional),
                Replay = new EtaReplay(targets.Keep(), noises.Keep(), _options.CleanEta, _options.NoisyEta, problem.Grid.Schedule.TrainTimesteps),
                Pivot = pivot,
                EvaluationsPerImage = meter.ForwardsPerImage,
                BackwardsPerImage = meter.BackwardsPerImage,
                Elapsed = meter.Elapsed,
                Options = _options,
            };
        }
        catch
        {
            pivot.Dispose();
            throw;
        }
    }

    /// <summary>The noise of every step, [T, B, 4, H, W].</summary>
    private Tensor Choose(InversionProblem problem, PivotTrajectory pivot, IProgress<InversionProgress>? progress, CancellationToken cancellation)
    {
        TimestepGrid grid = problem.Grid;
        List<Tensor> chosen = [];
        foreach (DiffusionStep step in grid.Moves)
        {
            cancellation.ThrowIfCancellationRequested();
            chosen.Add(
                Lifetime.Scoped(() =>
                {
                    double eta = EtaReplay.EtaAt(step, _options.CleanEta, _options.NoisyEta, grid.Schedule.TrainTimesteps);
                    EditFriendlyReplay.Rule rule = EditFriendlyReplay.Rule.Of(step, eta, publishedEta: false);
                    Tensor latents = pivot[grid.Steps - step.Step];
                    Tensor prediction = Guidance.Predict(problem.Predictor, latents, step, problem.Conditional, problem.Unconditional, problem.GuidanceScale);
                    Tensor draws =
                        Noise?.Invoke(step)
                        ?? stack([
                            .. Enumerable
                                .Range(0, _options.Draws)
                                .Select(k => Inversion.Draws.Noise(problem, _options.Seed, ((long)step.Step * _options.Draws) + k)),
                        ]);
                    // Without noise it does not matter which draw is used.
                    if (rule.Deviation == 0)
                        return draws.select(0, 0).clone();
                    Tensor ideal = pivot.TargetOf(step).sub(rule.Mean(latents, prediction)).Over(rule.Deviation);
                    Tensor losses = draws.sub(ideal).Squared().flatten(2).mean([2L]);
                    long[] picked = losses.argmin(0).cpu().data<long>().ToArray();
                    if (Observer is { } observer)
                    {
                        double[] least = losses.amin([0L]).to(ScalarType.Float64).cpu().data<double>().ToArray();
                        observer(new EtaChoice(step, eta, picked, least));
                    }
                    return cat([.. picked.Select((k, image) => draws.select(0, k).narrow(0, image, 1))], 0);
                })
            );
            progress?.Report(new InversionProgress(Name, step.Step + 1, grid.Steps));
        }
        return stack(chosen);
    }
}
