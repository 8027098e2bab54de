using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// ReNoise: each step is repeated from its own result, several of its noise predictions are averaged, and the prediction used is moved towards the statistics
/// of noise. Garibi et al. 2024 (arXiv 2403.14602).
/// </summary>
/// <param name="options">Options; null for the defaults.</param>
public sealed class ReNoisePath(ReNoiseOptions? options = null) : IPath
{
    // The released code's bound on the gradient of the patch loss.
    private const double MostGradient = 100;

    private readonly ReNoiseOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "ReNoise inversion";

    /// <summary>Noise of the reference instead of drawn noise: [B, 4, H, W], borrowed; null to draw it.</summary>
    public Tensor? Noise { get; init; }

    /// <summary>Returns the shift for a map with the given number of rows, instead of a drawn one; null to draw it.</summary>
    public Func<int, int>? Shift { get; init; }

    /// <inheritdoc/>
    public Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        _options.Validate();
        using DisposeScope scope = NewDisposeScope();
        bool hasReference = _options is { RegularisationRounds: > 0, PatchWeight: > 0 };
        Tensor? noise = hasReference && !_options.PublishedReference ? Noise ?? Draws.Noise(problem, _options.Seed, 0) : null;
        long drawn = 0;
        int Drawn(int rows)
        {
            int half = rows / 2;
            return _options.PublishedShifts
                ? Draws.Index(_options.Seed, drawn++, Math.Max(1, half))
                : 1 + Draws.Index(_options.Seed, drawn++, Math.Max(1, half - 1));
        }
        return new Walk
        {
            Levels = problem.Climb(Name, (z, step) => Next(problem, z, step, hasReference, noise, Shift ?? Drawn, cancellation), progress, cancellation),
        };
    }

    private Tensor Next(
        InversionProblem problem,
        Tensor z,
        DiffusionStep step,
        bool hasReference,
        Tensor? noise,
        Func<int, int> shift,
        CancellationToken cancellation
    )
    {
        bool isEarly = step.Timestep < _options.EarlyBelow;
        int renoisings = isEarly ? Math.Min(_options.MostEarly, _options.Renoisings) : _options.Renoisings,
            from = isEarly ? _options.EarlyAverageFrom : _options.AverageFrom,
            to = isEarly ? _options.EarlyAverageTo : _options.AverageTo,
            averaged = 0;
        Tensor y = z;
        Tensor? mean = null,
            reference = null;
        for (int i = 0; i <= renoisings; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            Tensor e = problem.Predict(y, step, _options.GuidanceScale);
            if (i == 0 && hasReference)
            {
                Tensor image = noise is null ? problem.Latents : NoiseSchedule.AddNoise(problem.Latents, noise, step.Noisy);
                reference = problem.Predict(image, step, _options.GuidanceScale);
            }
            if (i >= from && i < to)
            {
                averaged++;
                mean = mean is null ? e : mean.Times((averaged - 1.0) / averaged).Plus(e.Over(averaged));
            }
            if (i >= from || (!_options.Average && i > 0))
                e = Regularised(e, reference, shift);
            y = Ddim.Move(z, e, step.Clean, step.Noisy);
        }
        return _options.Average && mean is not null ? Ddim.Move(z, Regularised(mean, reference, shift), step.Clean, step.Noisy) : y;
    }

    private Tensor Regularised(Tensor prediction, Tensor? reference, Func<int, int> shift) =>
        Lifetime.Scoped(() =>
        {
            double share = _options.CorrelationWeight * prediction.shape[2] * prediction.shape[3] / (64 * 64) / _options.Shifts;
            Tensor e = prediction.alias();
            for (int round = 0; round < _options.RegularisationRounds; round++)
            {
                if (reference is not null)
                    e = e.Then(x =>
                        x.sub(
                            NoiseStatistics
                                .Gradient(x, p => NoiseStatistics.PatchDivergence(p, reference))
                                .Clamped(-MostGradient, MostGradient)
                                .Times(_options.PatchWeight)
                        )
                    );
                for (int part = 0; part < _options.Shifts && _options.CorrelationWeight > 0; part++)
                    e = e.Then(x => x.sub(NoiseStatistics.Gradient(x, p => NoiseStatistics.SelfCorrelation(p, rows => shift(rows))).Times(share)));
            }
            return e;
        });
}
