using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>The table of signal levels that a model was trained with.</summary>
public sealed class NoiseSchedule
{
    /// <summary>
    /// The signal level that stands for none. An exact 0 could not be left again: a noise prediction at level 0 is the latents themselves and
    /// says nothing of the image. 2^-24 keeps the image's part at 1/4096, which float32 carries to about three digits; a signal-to-noise
    /// ratio of -72 dB is nothing to the network.
    /// </summary>
    public const double NoSignal = 1.0 / (1 << 24);

    /// <summary>The most network timesteps: a hundred times those of any published model.</summary>
    public const int MostTimesteps = 100_000;

    private readonly double[] _alphaBars;

    /// <summary>Wraps a given table.</summary>
    /// <param name="alphaBars">Signal level per network timestep, falling.</param>
    /// <param name="finalIsOne">Level beyond the first timestep: 1 if true, that of timestep 0 if false (Stable Diffusion: false).</param>
    /// <param name="stepsOffset">Added to every timestep of a grid (Stable Diffusion: 1).</param>
    public NoiseSchedule(IReadOnlyList<double> alphaBars, bool finalIsOne = false, int stepsOffset = 1)
    {
        _alphaBars = [.. alphaBars];
        Final = new AlphaBar(finalIsOne ? 1 : _alphaBars[0]);
        StepsOffset = stepsOffset;
    }

    /// <summary>Stable Diffusion's schedule: beta linear in its square root from 0.00085 to 0.012, 1,000 timesteps, offset 1.</summary>
    public static NoiseSchedule StableDiffusion { get; } = ScaledLinear();

    /// <summary>How a grid's timesteps are spread.</summary>
    public TimestepSpacing Spacing { get; init; }

    /// <summary>What the network predicts that was trained with this schedule.</summary>
    public PredictionType Prediction { get; init; }

    /// <summary>Number of network timesteps.</summary>
    public int TrainTimesteps => _alphaBars.Length;

    /// <summary>Signal level beyond the cleanest timestep.</summary>
    public AlphaBar Final { get; }

    /// <summary>Added to every timestep of a grid.</summary>
    public int StepsOffset { get; }

    /// <summary>Signal level per network timestep.</summary>
    public IReadOnlyList<double> AlphaBars => _alphaBars;

    /// <summary>Signal level at a network timestep; <see cref="Final"/> for negative ones.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The timestep is beyond the table.</exception>
    public AlphaBar At(int timestep)
    {
        if (timestep >= _alphaBars.Length)
            throw new ArgumentOutOfRangeException(nameof(timestep), timestep, $"The schedule has timesteps 0..{_alphaBars.Length - 1}.");
        return timestep < 0 ? Final : new AlphaBar(_alphaBars[timestep]);
    }

    /// <summary>The schedule that a config describes.</summary>
    /// <param name="config">Config.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of timesteps or a beta makes no sense.</exception>
    /// <exception cref="ArgumentException">Zero terminal signal is asked for with a network that predicts noise.</exception>
    public static NoiseSchedule Of(ScheduleConfig config)
    {
        if (config.ZeroTerminalSnr && config.Prediction == PredictionType.Epsilon)
            throw new ArgumentException(
                "A schedule with zero terminal signal (rescale_betas_zero_snr) needs a network that predicts velocity: at pure noise, predicted noise "
                    + "says nothing of the image. Set prediction_type to v_prediction if the network was trained so, or leave the rescaling off.",
                nameof(config)
            );
        NoiseSchedule plain = Of(Betas(config.BetaStart, config.BetaEnd, config.TrainTimesteps, config.Curve), config.FinalIsOne, config.StepsOffset);
        IReadOnlyList<double> table = config.ZeroTerminalSnr ? WithoutTerminalSignal(plain.AlphaBars) : plain.AlphaBars;
        return new NoiseSchedule(table, config.FinalIsOne, config.StepsOffset) { Spacing = config.Spacing, Prediction = config.Prediction };
    }

    /// <summary>Shifts and scales sqrt(alphaBar) so that the first level stays and the last becomes <see cref="NoSignal"/>.</summary>
    /// <param name="alphaBars">A falling table.</param>
    /// <returns>A new table.</returns>
    /// <remarks>Lin et al. 2023, "Common diffusion noise schedules and sample steps are flawed", algorithm 1, with <see cref="NoSignal"/> for its 0.</remarks>
    public static IReadOnlyList<double> WithoutTerminalSignal(IReadOnlyList<double> alphaBars)
    {
        double first = Math.Sqrt(alphaBars[0]),
            last = Math.Sqrt(alphaBars[^1]);
        return [.. alphaBars.Select(a => Math.Max(NoSignal, Math.Pow((Math.Sqrt(a) - last) * first / (first - last), 2)))];
    }

    /// <summary>
    /// beta linear in its square root ("scaled linear"). The table equals that of the originals bit for bit, on every
    /// processor: see <see cref="Betas"/>.
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
    /// The originals take them from PyTorch's float32 linspace, which rounds differently with the width of the processor's
    /// vectors. This is its arithmetic for eight lanes (AVX2, where the published tables come from): each group of eight
    /// starts from one fused multiply-add, counted from the nearer end, and adds multiples of the step.
    /// </remarks>
    public static IReadOnlyList<float> Betas(double betaStart = 0.00085, double betaEnd = 0.012, int timesteps = 1000, BetaCurve curve = BetaCurve.ScaledLinear)
    {
        if (timesteps is < 2 or > MostTimesteps)
            throw new ArgumentOutOfRangeException(nameof(timesteps), timesteps, $"A schedule needs at least 2 timesteps and has {MostTimesteps} at most.");
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

    /// <summary>z_t = sqrt(alphaBar) z_0 + sqrt(1 - alphaBar) noise.</summary>
    /// <param name="latents">z_0; borrowed.</param>
    /// <param name="noise">Standard normal noise, same shape; borrowed.</param>
    /// <param name="level">Noise level to reach.</param>
    /// <returns>Noisy latents; owned by the caller's dispose scope.</returns>
    public static Tensor AddNoise(Tensor latents, Tensor noise, AlphaBar level)
    {
        Shape.RequireSame(noise, latents);
        return Lifetime.Scoped(() => latents.Times(Math.Sqrt(level.Value)).Plus(noise.Times(Math.Sqrt(1 - level.Value))));
    }
}
