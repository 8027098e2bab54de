using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>The table of signal levels that a model was trained with.</summary>
public sealed class NoiseSchedule
{
    /// <summary>
    /// The signal level that stands for no signal. Sampling could not leave an exact 0: a noise prediction at level 0 is the latents themselves and says
    /// nothing about the image. 2^-24 scales the image by 1/4096, which float32 resolves to about three digits; to the network, a signal-to-noise ratio of -72
    /// dB is no signal.
    /// </summary>
    public const double NoSignal = 1.0 / (1 << 24);

    /// <summary>The maximum number of network timesteps: a hundred times that of any published model.</summary>
    public const int MostTimesteps = 100_000;

    private readonly NoiseLevel[] _levels;

    /// <summary>Wraps a given table.</summary>
    /// <param name="alphaBars">Signal level per network timestep, decreasing.</param>
    /// <param name="finalIsOne">Level beyond the first timestep: 1 if true, that of timestep 0 if false (Stable Diffusion: false).</param>
    /// <param name="stepsOffset">Added to every timestep of a grid (Stable Diffusion: 1).</param>
    public NoiseSchedule(IReadOnlyList<double> alphaBars, bool finalIsOne = false, int stepsOffset = 1)
    {
        _levels = [.. alphaBars.Select(NoiseLevel.VariancePreserving)];
        AlphaBars = [.. alphaBars];
        Final = finalIsOne ? NoiseLevel.VariancePreserving(1) : _levels[0];
        StepsOffset = stepsOffset;
    }

    private NoiseSchedule(NoiseLevel[] levels)
    {
        _levels = levels;
        AlphaBars = [.. levels.Select(l => l.AlphaBar)];
        Final = NoiseLevel.Flow(0);
    }

    /// <summary>Stable Diffusion's schedule: beta linear in its square root from 0.00085 to 0.012, 1,000 timesteps, offset 1.</summary>
    public static NoiseSchedule StableDiffusion { get; } = ScaledLinear();

    /// <summary>How a grid's timesteps are spread.</summary>
    public TimestepSpacing Spacing { get; init; }

    /// <summary>What a network trained with this schedule predicts.</summary>
    public PredictionType Prediction { get; init; }

    /// <summary>Number of network timesteps.</summary>
    public int TrainTimesteps => _levels.Length;

    /// <summary>Signal level beyond the cleanest timestep.</summary>
    public NoiseLevel Final { get; }

    /// <summary>Added to every timestep of a grid.</summary>
    public int StepsOffset { get; }

    /// <summary>Signal level per network timestep.</summary>
    public IReadOnlyList<double> AlphaBars { get; }

    /// <summary>Signal level at a network timestep; <see cref="Final"/> for negative ones.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The timestep is beyond the table.</exception>
    public NoiseLevel At(int timestep)
    {
        if (timestep >= _levels.Length)
            throw new ArgumentOutOfRangeException(nameof(timestep), timestep, $"The schedule has timesteps 0..{_levels.Length - 1}.");
        return timestep < 0 ? Final : _levels[timestep];
    }

    /// <summary>The schedule that a config describes.</summary>
    /// <param name="config">Config.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of timesteps or a beta is out of range.</exception>
    /// <exception cref="ArgumentException">Zero terminal signal is combined with a network that predicts noise.</exception>
    public static NoiseSchedule Of(ScheduleConfig config)
    {
        if (config.ZeroTerminalSnr && config.Prediction == PredictionType.Epsilon)
            throw new ArgumentException(
                "A schedule with zero terminal signal (rescale_betas_zero_snr) needs a network that predicts velocity: at pure noise, predicted noise "
                    + "says nothing about the image. Set prediction_type to v_prediction if the network was trained that way, or turn the rescaling off.",
                nameof(config)
            );
        NoiseSchedule plain = Of(Betas(config.BetaStart, config.BetaEnd, config.TrainTimesteps, config.Curve), config.FinalIsOne, config.StepsOffset);
        IReadOnlyList<double> table = config.ZeroTerminalSnr ? WithoutTerminalSignal(plain.AlphaBars) : plain.AlphaBars;
        return new NoiseSchedule(table, config.FinalIsOne, config.StepsOffset) { Spacing = config.Spacing, Prediction = config.Prediction };
    }

    /// <summary>The levels of a rectified flow: timestep t of N has sigma = shift u / (1 + (shift - 1) u) with u = (t + 1) / N.</summary>
    /// <param name="timesteps">N, at least 2 and at most <see cref="MostTimesteps"/>.</param>
    /// <param name="shift">Moves the steps towards noise, for larger images; positive, 1 for none.</param>
    /// <returns>A schedule with trailing spacing whose cleanest level is the image; the noisiest keeps a signal of 2^-12, see <see cref="NoSignal"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of its range.</exception>
    /// <remarks>Esser et al. 2024, section 5.3.2, for the shift. Wrap the network in a <see cref="FlowPredictor"/>.</remarks>
    public static NoiseSchedule RectifiedFlow(int timesteps = 1000, double shift = 1)
    {
        if (timesteps is < 2 or > MostTimesteps)
            throw new ArgumentOutOfRangeException(nameof(timesteps), timesteps, $"A schedule needs between 2 and {MostTimesteps} timesteps.");
        if (shift is not (> 0 and < double.PositiveInfinity))
            throw new ArgumentOutOfRangeException(nameof(shift), shift, "The shift of a flow must be positive; 1 shifts nothing.");
        double last = 1 - Math.Sqrt(NoSignal);
        return new NoiseSchedule([.. Enumerable.Range(1, timesteps).Select(t => NoiseLevel.Flow(Math.Min(last, Shifted((double)t / timesteps))))])
        {
            Spacing = TimestepSpacing.Trailing,
        };

        double Shifted(double u) => shift * u / (1 + ((shift - 1) * u));
    }

    /// <summary>Shifts and scales sqrt(alphaBar) so that the first level stays the same and the last becomes <see cref="NoSignal"/>.</summary>
    /// <param name="alphaBars">A decreasing table.</param>
    /// <returns>A new table.</returns>
    /// <remarks>
    /// Lin et al. 2023, "Common diffusion noise schedules and sample steps are flawed", algorithm 1, with <see cref="NoSignal"/> instead of 0.
    /// </remarks>
    public static IReadOnlyList<double> WithoutTerminalSignal(IReadOnlyList<double> alphaBars)
    {
        double first = Math.Sqrt(alphaBars[0]),
            last = Math.Sqrt(alphaBars[^1]);
        return [.. alphaBars.Select(a => Math.Max(NoSignal, Math.Pow((Math.Sqrt(a) - last) * first / (first - last), 2)))];
    }

    /// <summary>
    /// beta linear in its square root ("scaled linear"). The table equals that of the original code bit for bit, on every processor: see <see cref="Betas"/>.
    /// </summary>
    public static NoiseSchedule ScaledLinear(
        double betaStart = 0.00085,
        double betaEnd = 0.012,
        int timesteps = 1000,
        bool finalIsOne = false,
        int stepsOffset = 1
    ) => Of(Betas(betaStart, betaEnd, timesteps), finalIsOne, stepsOffset);

    /// <summary>The betas of <see cref="ScaledLinear"/>, or those that are linear themselves.</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// There are fewer than 2 timesteps or more than <see cref="MostTimesteps"/>, or a beta is not between 0 and 1.
    /// </exception>
    /// <remarks>
    /// The original code takes them from PyTorch's float32 linspace, whose rounding depends on the vector width of the processor. This reproduces its
    /// arithmetic for eight lanes (AVX2, on which the published tables were made): each group of eight starts from one fused multiply-add, counted from the
    /// nearer end, and adds multiples of the step.
    /// </remarks>
    public static IReadOnlyList<float> Betas(double betaStart = 0.00085, double betaEnd = 0.012, int timesteps = 1000, BetaCurve curve = BetaCurve.ScaledLinear)
    {
        if (timesteps is < 2 or > MostTimesteps)
            throw new ArgumentOutOfRangeException(nameof(timesteps), timesteps, $"A schedule must have between 2 and {MostTimesteps} timesteps.");
        if (betaStart is not (> 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(betaStart), betaStart, "The first beta must lie between 0 and 1.");
        if (betaEnd is not (> 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(betaEnd), betaEnd, "The last beta must lie between 0 and 1.");
        const int Lanes = 8;
        bool rooted = curve == BetaCurve.ScaledLinear;
        float start = (float)(rooted ? Math.Sqrt(betaStart) : betaStart);
        float end = (float)(rooted ? Math.Sqrt(betaEnd) : betaEnd);
        float step = (end - start) / (timesteps - 1);
        float[] betas = new float[timesteps];
        for (int t = 0; t < timesteps; t++)
        {
            int first = t - (t % Lanes);
            if (first + Lanes > timesteps)
                first = t;
            float from = first < timesteps / 2 ? MathF.FusedMultiplyAdd(step, first, start) : MathF.FusedMultiplyAdd(-step, timesteps - 1 - first, end);
            float value = from + (step * (t - first));
            betas[t] = rooted ? value * value : value;
        }
        return betas;
    }

    private static NoiseSchedule Of(IReadOnlyList<float> betas, bool finalIsOne, int stepsOffset)
    {
        double[] alphaBars = new double[betas.Count];
        double product = 1;
        for (int t = 0; t < betas.Count; t++)
        {
            product *= 1 - betas[t];
            alphaBars[t] = (float)product;
        }
        return new NoiseSchedule(alphaBars, finalIsOne, stepsOffset);
    }

    /// <summary>z_t = a z_0 + s noise, with the factors of the level.</summary>
    /// <param name="latents">z_0; borrowed.</param>
    /// <param name="noise">Standard normal noise, same shape; borrowed.</param>
    /// <param name="level">Noise level to reach.</param>
    /// <returns>Noisy latents; owned by the caller's dispose scope.</returns>
    public static Tensor AddNoise(Tensor latents, Tensor noise, NoiseLevel level)
    {
        Shape.RequireSame(noise, latents);
        return Lifetime.Scoped(() => latents.Times(level.Signal).Plus(noise.Times(level.Noise)));
    }
}
