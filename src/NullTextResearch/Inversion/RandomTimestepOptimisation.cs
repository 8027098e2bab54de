using NullTextResearch.Diffusion;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// The diffusion loss ||noise - prediction||^2 of the image at random timesteps with fresh noise, as a mean over elements, minimised over an embedding; shared
/// by the variants without a pivot.
/// </summary>
internal sealed class RandomTimestepOptimisation : IDisposable
{
    private readonly string _method;
    private readonly InversionProblem _problem;
    private readonly InversionMeter _meter;
    private readonly RandomTimestepOptions _options;
    private readonly Dictionary<int, RowAdam> _adams = [];
    private readonly List<double>[] _losses;

    public RandomTimestepOptimisation(string method, InversionProblem problem, RandomTimestepOptions options)
    {
        _method = method;
        _meter = new InversionMeter(problem.Predictor, problem.Images);
        _problem = problem with { Predictor = _meter };
        _options = options;
        _losses = [.. Enumerable.Range(0, problem.Images).Select(_ => new List<double>())];
    }

    public InversionMeter Meter => _meter;

    public IReadOnlyList<IReadOnlyList<StepOptimisation>> Log => [.. _losses.Select(l => new[] { new StepOptimisation([.. l], StopReason.InnerStepLimit) })];

    /// <summary>The step that an iteration draws.</summary>
    public DiffusionStep StepOf(int iteration)
    {
        TimestepGrid grid = _problem.Grid;
        if (_options.Timesteps == TimestepDraw.Grid)
            return grid.Moves[Draws.Index(_options.Seed, iteration, grid.Steps)];
        int timestep = Draws.Index(_options.Seed, iteration, grid.Schedule.TrainTimesteps);
        return new DiffusionStep(grid.NearestStep(timestep), timestep, grid.Schedule.At(timestep), grid.Schedule.At(timestep - grid.Stride));
    }

    /// <summary>One gradient step.</summary>
    /// <param name="iteration">Index of the step; determines timestep and noise.</param>
    /// <param name="embedding">Its tokens are changed in place, [B, tokens, d].</param>
    /// <param name="adamKey">Which optimiser state the embedding belongs to.</param>
    /// <param name="guide">
    /// Turns the embedding's own prediction into the one that enters the loss; called with gradients recorded, and with the result of
    /// <paramref name="prepare"/>.
    /// </param>
    /// <param name="prepare">Runs before gradients are recorded, on the noisy latents; may return null.</param>
    public double Update(int iteration, Conditioning embedding, int adamKey, Func<Tensor, Tensor?, Tensor> guide, Func<Tensor, DiffusionStep, Tensor?> prepare)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        DiffusionStep step = StepOf(iteration);
        Tensor noise = Draws.Noise(_problem, _options.Seed, iteration);
        Tensor latents = NoiseSchedule.AddNoise(_problem.Latents, noise, step.Noisy);
        Tensor? prepared = prepare(latents, step);
        (double[] loss, Tensor gradient, _) = EmbeddingGradient.Compute(
            _meter,
            latents,
            step,
            embedding,
            own => EmbeddingGradient.MeanSquare(guide(own, prepared), noise)
        );
        for (int image = 0; image < loss.Length; image++)
        {
            _losses[image].Add(loss[image]);
            if (!double.IsFinite(loss[image]))
                throw new InversionDivergedException(_method, image, step.Step, step.Timestep, _losses[image].TakeLast(5).ToArray());
        }
        if (!_adams.TryGetValue(adamKey, out RowAdam? adam))
            _adams[adamKey] = adam = new RowAdam(_options.Adam);
        EmbeddingGradient.KeepRows(gradient, _options.Rows);
        adam.Update(embedding.Tokens, gradient, _options.LearningRate);
        return loss.Average();
    }

    public void Dispose()
    {
        foreach (RowAdam adam in _adams.Values)
            adam.Dispose();
    }
}
