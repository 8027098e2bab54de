using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Source-prompt disentangled inversion: after each DDIM move the latents are fitted by gradient steps to the fixed point y = move(z, eps(y, t)), which removes
/// the influence of the source prompt. Li et al. 2024 (arXiv 2403.11105).
/// </summary>
/// <param name="options">Options; null for the defaults.</param>
public sealed class SpdInvPath(SpdInvOptions? options = null) : IPath
{
    private readonly SpdInvOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "SPDInv";

    /// <summary>Receives the move, the image and the loss before each update, for curves; null to disable.</summary>
    public Action<DiffusionStep, int, double>? Observer { get; init; }

    /// <inheritdoc/>
    public Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        _options.Validate();
        return new Walk { Levels = problem.Climb(Name, (z, step) => Next(problem, z, step, cancellation), progress, cancellation) };
    }

    private Tensor Next(InversionProblem problem, Tensor z, DiffusionStep step, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Tensor fitted = Ddim.Move(z, problem.Predictor.Predict(z, step, problem.Conditional), step.Clean, step.Noisy);
        int[] running = [.. Enumerable.Range(0, problem.Images)];
        List<double>[] losses = [.. running.Select(_ => new List<double>())];
        // For the images that are still being fitted.
        Tensor y = fitted.clone(),
            from = z.alias();
        Conditioning prompts = problem.Conditional.Map((_, value) => value.alias());
        using RowAdam adam = new(new AdamOptions());
        for (int round = 0; round < _options.Rounds && running.Length > 0; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            using DisposeScope inner = NewDisposeScope();
            (double[] now, Tensor gradient) = Loss(problem, from, y, prompts, step);
            for (int i = 0; i < now.Length; i++)
            {
                losses[running[i]].Add(now[i]);
                if (!double.IsFinite(now[i]))
                    throw new InversionDivergedException(Name, running[i], step.Step, step.Timestep, [.. losses[running[i]].TakeLast(5)]);
                Observer?.Invoke(step, running[i], now[i]);
            }
            y.TimesInPlace(1 - (_options.LearningRate * _options.WeightDecay));
            adam.Update(y, gradient, _options.LearningRate);
            long[] kept = [.. Enumerable.Range(0, now.Length).Where(i => !(now[i] < _options.StopBelow)).Select(i => (long)i)];
            if (kept.Length == now.Length)
                continue;
            fitted.index_copy_(0, Index(running.Select(i => (long)i)), y);
            running = [.. kept.Select(i => running[i])];
            Tensor rows = Index(kept);
            adam.Select(rows);
            (y, from, prompts) = (Only(y, rows), Only(from, rows), prompts.Map((_, value) => Only(value, rows)));
        }
        if (running.Length > 0)
            fitted.index_copy_(0, Index(running.Select(i => (long)i)), y);
        return fitted;

        Tensor Index(IEnumerable<long> rows) => tensor(rows.ToArray(), device: z.device);

        Tensor Only(Tensor all, Tensor rows)
        {
            Tensor some = all.index_select(0, rows).MoveToOuterDisposeScope();
            all.Dispose();
            return some;
        }
    }

    /// <summary>Mean squared distance between each image's latents and the result of their move, and its gradient with respect to the latents.</summary>
    private static (double[] Losses, Tensor Gradient) Loss(InversionProblem problem, Tensor z, Tensor y, Conditioning prompts, DiffusionStep step)
    {
        PredictionGradient through = problem.Predictor.Differentiate(
            y,
            step,
            prompts,
            prediction => y.sub(Ddim.Move(z, prediction, step.Clean, step.Noisy)).Squared().mean([1, 2, 3]),
            GradientOf.Latents
        );
        Tensor residual = y.sub(Ddim.Move(z, through.Prediction, step.Clean, step.Noisy));
        // y also enters directly.
        return (through.Losses.to(ScalarType.Float64).cpu().data<double>().ToArray(), through.Latents!.Plus(residual.Times(2.0 / y[0].numel())));
    }
}
