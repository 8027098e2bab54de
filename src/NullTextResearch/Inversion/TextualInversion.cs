using System.Diagnostics;
using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Textual inversion of the whole prompt embedding: no pivot, but the diffusion loss at random timesteps with fresh noise (Gal et al. 2022, as used in Mokady
/// et al., section 4). The unconditional embedding stays that of the empty prompt.
/// </summary>
/// <param name="options">Options; null for the defaults.</param>
public sealed class TextualInversion(TextualInversionOptions? options = null) : IAnyTimeInversion
{
    private readonly TextualInversionOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "textual inversion";

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
        using RandomTimestepOptimisation optimisation = new(Name, problem, _options);
        Conditioning embedding = problem.Conditional with { Tokens = Start(problem) };
        return AnyTimeLoop.Run(
            Name,
            plan,
            done => optimisation.Update(done, embedding, 0, (own, _) => own, (_, _) => null),
            () => Result(problem, embedding, optimisation, cancellation),
            progress,
            cancellation
        );
    }

    private Tensor Start(InversionProblem problem) =>
        Lifetime.WithoutGradient(() =>
        {
            Tensor prompt = problem.Conditional.Tokens.detach();
            if (_options.Start == TextualStart.Prompt)
                return prompt.clone();
            long[] one = [1, .. prompt.shape[1..]];
            // Iteration -1: independent of all noise that the optimisation draws.
            Tensor noise = Draws.Noise(problem, _options.Seed, -1, one);
            return noise.mul(prompt.Squared().mean([1, 2], keepdim: true).sqrt());
        });

    private InversionResult Result(InversionProblem problem, Conditioning embedding, RandomTimestepOptimisation optimisation, CancellationToken cancellation)
    {
        Stopwatch watch = Stopwatch.StartNew();
        InversionMeter meter = new(problem.Predictor, problem.Images);
        InversionProblem inverted = problem with
        {
            Predictor = meter,
            Conditional = _options.Path == TextualPath.InvertWithOptimised ? embedding : problem.Conditional,
        };
        using PivotTrajectory trajectory = _options.Inversion.ClimbPlain(inverted, Name, null, cancellation);
        optimisation.Meter.Exclude(watch.Elapsed);
        return new InversionResult
        {
            Method = Name,
            GuidanceScale = problem.GuidanceScale,
            StartLatents = trajectory.Noisiest.Snapshot(),
            Conditional = StepEmbeddings.Constant(embedding),
            IsPromptOptimised = true,
            Unconditional = StepEmbeddings.Constant(problem.Unconditional),
            Optimisation = optimisation.Log,
            EvaluationsPerImage = optimisation.Meter.ForwardsPerImage + meter.ForwardsPerImage,
            BackwardsPerImage = optimisation.Meter.BackwardsPerImage + meter.BackwardsPerImage,
            GradientBackOffs = optimisation.Meter.BackOffs,
            Elapsed = optimisation.Meter.Elapsed + meter.Elapsed,
            Options = _options,
        };
    }
}
