using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Global null-text inversion: one unconditional embedding per image for all steps. Each pass follows the sampler from the
/// noisiest pivot and takes one gradient step at every step. Mokady et al., Algorithm 2. The image is sampled from the
/// noisiest pivot with the final embedding.
/// </summary>
/// <param name="options">Options; null for the defaults.</param>
public sealed class GlobalNullTextInversion(GlobalNullTextOptions? options = null) : IAnyTimeInversion
{
    private readonly GlobalNullTextOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "global null-text inversion";

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
        InversionMeter meter = new(problem.Predictor, problem.Images);
        InversionProblem counted = problem with { Predictor = meter };
        int steps = problem.Grid.Steps;
        using PivotTrajectory pivot = _options.Inversion.ClimbPlain(counted, Name, progress, cancellation);
        using DisposeScope outer = NewDisposeScope();
        using IDisposable grad = no_grad();
        Conditioning empty = problem.UnconditionalRows(),
            embedding = empty with { Tokens = empty.Tokens.detach().clone() };
        List<double>[][] losses = [.. Enumerable.Range(0, problem.Images).Select(_ => Enumerable.Range(0, steps).Select(_ => new List<double>()).ToArray())];
        RowAdam adam = new(_options.Adam);
        try
        {
            Tensor latents = pivot.Noisiest.alias();
            return AnyTimeLoop.Run(Name, plan, Update, () => Result(counted, embedding, pivot, losses, meter), progress, cancellation);

            double Update(int done)
            {
                DiffusionStep step = problem.Grid.Moves[done % steps];
                if (step.Step == 0)
                {
                    latents.Dispose();
                    latents = pivot.Noisiest.alias().MoveToOuterDisposeScope();
                }
                if (_options.FreshAdam)
                {
                    adam.Dispose();
                    adam = new(_options.Adam);
                }
                Tensor current = latents;
                Tensor conditional = meter.Predict(current, step, problem.Conditional);
                (double[] loss, Tensor gradient, Tensor prediction) = EmbeddingGradient.Compute(
                    meter,
                    current,
                    step,
                    embedding,
                    own =>
                        EmbeddingGradient.MeanSquare(
                            Ddim.Move(current, Guidance.Combine(own, conditional, problem.GuidanceScale), step.Noisy, step.Clean),
                            pivot.TargetOf(step)
                        )
                );
                for (int image = 0; image < loss.Length; image++)
                {
                    losses[image][step.Step].Add(loss[image]);
                    if (!double.IsFinite(loss[image]))
                        throw new InversionDivergedException(Name, image, step.Step, step.Timestep, losses[image][step.Step].TakeLast(5).ToArray());
                }
                adam.Update(embedding.Tokens, gradient, _options.LearningRate);
                // The next pass starts from the pivot again, so the end of this one is not needed.
                if (step.Step == steps - 1)
                    return loss.Average();
                Tensor final = _options.Advance == AdvanceMode.ReuseLastInner ? prediction : meter.Predict(current, step, embedding);
                latents = Ddim.Move(current, Guidance.Combine(final, conditional, problem.GuidanceScale), step.Noisy, step.Clean).MoveToOuterDisposeScope();
                current.Dispose();
                return loss.Average();
            }
        }
        finally
        {
            adam.Dispose();
        }
    }

    private InversionResult Result(InversionProblem problem, Conditioning embedding, PivotTrajectory pivot, List<double>[][] losses, InversionMeter meter) =>
        new()
        {
            Method = Name,
            GuidanceScale = problem.GuidanceScale,
            StartLatents = pivot.Noisiest.Snapshot(),
            Conditional = StepEmbeddings.Constant(problem.Conditional),
            Unconditional = StepEmbeddings.Constant(embedding),
            Pivot = pivot.Copy(),
            Optimisation = [.. losses.Select(image => image.Select(step => new StepOptimisation([.. step], StopReason.InnerStepLimit)).ToArray())],
            EvaluationsPerImage = meter.ForwardsPerImage,
            BackwardsPerImage = meter.BackwardsPerImage,
            GradientBackOffs = meter.BackOffs,
            Elapsed = meter.Elapsed,
            Options = _options,
        };
}
