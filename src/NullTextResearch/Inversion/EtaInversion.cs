using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="EtaInversion"/>; defaults are the published ones, without a mask.</summary>
public sealed record EtaOptions
{
    /// <summary>How the pivot is found.</summary>
    public PathOptions Inversion { get; init; } = new DdimInversionOptions();

    /// <summary>Seed of the noise; together with the key of an image it decides that image's noise.</summary>
    public long Seed { get; init; }

    /// <summary>Share of the DDPM noise at timestep 0, 0 to 1 (default 0); between the two ends it changes evenly with the timestep.</summary>
    public double CleanEta { get; init; }

    /// <summary>Share of the DDPM noise at the last timestep of the table, 0 to 1 (default 0.4).</summary>
    public double NoisyEta { get; init; } = 0.4;

    /// <summary>Draws per step, of which the best is taken; 1 or more (default 10).</summary>
    public int Draws { get; init; } = 10;

    internal IEnumerable<string> Problems()
    {
        foreach ((string name, double eta) in ((string, double)[])[(nameof(CleanEta), CleanEta), (nameof(NoisyEta), NoisyEta)])
        {
            if (!(eta is >= 0 and <= 1))
                yield return FormattableString.Invariant($"{name} is {eta}; it must lie in [0, 1].");
        }
        if (Draws < 1)
            yield return FormattableString.Invariant($"Draws is {Draws}; at least one is needed.");
        foreach (string problem in Inversion.Problems())
            yield return problem;
    }
}

/// <summary>What a step of eta inversion chose.</summary>
/// <param name="Step">The step.</param>
/// <param name="Eta">Share of the DDPM noise.</param>
/// <param name="Picked">Which draw, for each image.</param>
/// <param name="Losses">Mean squared difference between that draw and the noise that would have led to the pivot, for each image.</param>
public sealed record EtaChoice(DiffusionStep Step, double Eta, IReadOnlyList<long> Picked, IReadOnlyList<double> Losses);

/// <summary>
/// Eta inversion: sampling with noise, which is the same for an image and its edited versions, and of several draws the one that leads the image
/// nearest to its pivot; then the image is put on the pivot. More noise gives the edit more freedom. No optimisation. Kang et al. 2024 (arXiv
/// 2403.09468).
/// </summary>
/// <remarks>
/// The published code chooses while it edits. The image's own branch is on the pivot at every step, so that the choice is made here, once, with the
/// guidance scale of the problem: an edit at another scale gets the same noise.
/// </remarks>
/// <param name="options">Options; null for the defaults.</param>
public sealed class EtaInversion(EtaOptions? options = null) : IInversion
{
    private readonly EtaOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "eta inversion";

    /// <inheritdoc/>
    public object Options => _options;

    /// <summary>The draws of a step in place of random ones, [draws, B, 4, H, W], borrowed; null draws them.</summary>
    public Func<DiffusionStep, Tensor>? Noise { get; init; }

    /// <summary>Sees what each step chose; null costs nothing.</summary>
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
                    // Without noise every draw is as good as the first.
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

/// <summary>Sampling with the noise that <see cref="EtaInversion"/> chose; rows of the image itself are put on its pivot after each step.</summary>
/// <param name="targets">Latents of the pivot that each step ends at, [T, images, 4, H, W], step 0 (noisiest) first; owned from now on.</param>
/// <param name="noises">Noise of each step, same shape; owned from now on.</param>
/// <param name="cleanEta">Share of the DDPM noise at timestep 0.</param>
/// <param name="noisyEta">The same at the last timestep.</param>
/// <param name="trainTimesteps">Network timesteps.</param>
public sealed class EtaReplay(Tensor targets, Tensor noises, double cleanEta, double noisyEta, int trainTimesteps) : IReplay
{
    /// <summary>Name in files.</summary>
    public const string Kind = "eta";

    private readonly UseGate _gate = new(nameof(EtaReplay));

    /// <inheritdoc/>
    public ReplayData Data =>
        new(
            Kind,
            new Dictionary<string, double>
            {
                ["clean_eta"] = cleanEta,
                ["noisy_eta"] = noisyEta,
                ["train_timesteps"] = trainTimesteps,
            },
            new Dictionary<string, Tensor> { ["targets"] = _gate.Alive(targets), ["noises"] = _gate.Alive(noises) }
        );

    /// <summary>Makes it from what was kept.</summary>
    public static EtaReplay Restore(ReplayData data) =>
        new(data.Tensor("targets"), data.Tensor("noises"), data.Number("clean_eta"), data.Number("noisy_eta"), (int)data.Number("train_timesteps"));

    /// <inheritdoc/>
    public LatentState Move(LatentState state, DiffusionStep step, Func<Tensor, Tensor> noise, BatchLayout rows)
    {
        using UseGate.Lease use = _gate.Use();
        return new LatentState(
            Lifetime.Scoped(() =>
            {
                EditFriendlyReplay.Rule rule = EditFriendlyReplay.Rule.Of(step, EtaAt(step, cleanEta, noisyEta, trainTimesteps), publishedEta: false);
                Tensor images = tensor(rows.Rows.Select(r => (long)r.Image).ToArray(), device: noises.device);
                Tensor own = noises.select(0, step.Step).index_select(0, images);
                Tensor moved = rule.Mean(state.Latents, noise(state.Latents)).Plus(own.Times(rule.Deviation));
                Tensor isSource = tensor(rows.Rows.Select(r => r.IsSource).ToArray(), device: noises.device).view(-1, 1, 1, 1);
                return where(isSource, targets.select(0, step.Step).index_select(0, images), moved);
            })
        );
    }

    /// <inheritdoc/>
    public void Dispose() =>
        _gate.Close(() =>
        {
            targets.Dispose();
            noises.Dispose();
        });

    /// <summary>The share of the DDPM noise at a step.</summary>
    internal static double EtaAt(DiffusionStep step, double cleanEta, double noisyEta, int trainTimesteps) =>
        cleanEta + ((noisyEta - cleanEta) * step.Timestep / (trainTimesteps - 1));
}
