using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Null-text optimisation without a pivot: the guided prediction is fitted to fresh noise at random timesteps. Sampling starts from the DDIM-inverted latents.
/// Mokady et al., Figs. 13 and 14.
/// </summary>
/// <param name="options">Options; null for the defaults.</param>
public sealed class NonPivotalInversion(NonPivotalOptions? options = null) : IAnyTimeInversion
{
    private readonly NonPivotalOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "non-pivotal inversion";

    /// <inheritdoc/>
    public object Options => _options;

    /// <inheritdoc/>
    public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default) =>
        InvertAnyTime(problem, [_options.InnerSteps * problem.Grid.Steps], progress, cancellation)[0];

    /// <inheritdoc/>
    public IReadOnlyList<InversionResult> InvertAnyTime(
        InversionProblem problem,
        IReadOnlyList<int> iterations,
        IProgress<InversionProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        problem.Validate();
        _options.Validate();
        SnapshotPlan plan = new(iterations);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        using RandomTimestepOptimisation optimisation = new(Name, problem, _options);
        using PivotTrajectory trajectory = _options.Inversion.ClimbPlain(problem with { Predictor = optimisation.Meter }, Name, progress, cancellation);
        // [S, B, tokens, d] with S = T or 1.
        Conditioning empty = problem.UnconditionalRows();
        Tensor embeddings = empty.Tokens.unsqueeze(0).expand(_options.PerStep ? problem.Grid.Steps : 1, -1, -1, -1).detach().clone();
        return AnyTimeLoop.Run(
            Name,
            plan,
            done =>
            {
                int index = _options.PerStep ? optimisation.StepOf(done).Step : 0;
                return optimisation.Update(
                    done,
                    empty with
                    {
                        Tokens = embeddings.select(0, index),
                    },
                    index,
                    (own, conditional) => Guidance.Combine(own, conditional!, problem.GuidanceScale),
                    (latents, step) => optimisation.Meter.Predict(latents, step, problem.Conditional)
                );
            },
            () => Result(problem, empty with { Tokens = embeddings }, trajectory, optimisation),
            progress,
            cancellation
        );
    }

    private InversionResult Result(InversionProblem problem, Conditioning embeddings, PivotTrajectory trajectory, RandomTimestepOptimisation optimisation)
    {
        using Tensor only = embeddings.Tokens.select(0, 0);
        return new InversionResult
        {
            Method = Name,
            GuidanceScale = problem.GuidanceScale,
            StartLatents = trajectory.Noisiest.Snapshot(),
            Conditional = StepEmbeddings.Constant(problem.Conditional),
            Unconditional = _options.PerStep ? StepEmbeddings.PerStep(embeddings) : StepEmbeddings.Constant(embeddings with { Tokens = only }),
            Pivot = trajectory.Copy(),
            Optimisation = optimisation.Log,
            EvaluationsPerImage = optimisation.Meter.ForwardsPerImage,
            BackwardsPerImage = optimisation.Meter.BackwardsPerImage,
            GradientBackOffs = optimisation.Meter.BackOffs,
            Elapsed = optimisation.Meter.Elapsed,
            Options = _options,
        };
    }
}
