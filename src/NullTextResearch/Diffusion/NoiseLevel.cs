namespace NullTextResearch.Diffusion;

/// <summary>How much of noisy latents is image and how much is noise: z = <see cref="Signal"/> z_0 + <see cref="Noise"/> epsilon.</summary>
/// <remarks>
/// Every move and every formula is written for both factors, so a variance-preserving model (Stable Diffusion) and a rectified flow share them. The
/// default value is no level: use <see cref="VariancePreserving"/> or <see cref="Flow"/>.
/// </remarks>
public readonly record struct NoiseLevel
{
    private NoiseLevel(double signal, double noise, double alphaBar, bool isVariancePreserving)
    {
        Signal = signal;
        Noise = noise;
        AlphaBar = alphaBar;
        IsVariancePreserving = isVariancePreserving;
    }

    /// <summary>Factor of the image, a; 1 for a clean image.</summary>
    public double Signal { get; }

    /// <summary>Factor of the noise, s; 0 for a clean image.</summary>
    public double Noise { get; }

    /// <summary>The image's share of the variance, a^2 / (a^2 + s^2): alphaBar of a variance-preserving level, exactly as it was given.</summary>
    public double AlphaBar { get; }

    /// <summary>Whether a^2 + s^2 = 1 by construction.</summary>
    public bool IsVariancePreserving { get; }

    /// <summary>A level of DDPM and DDIM: a = sqrt(alphaBar), s = sqrt(1 - alphaBar).</summary>
    /// <param name="alphaBar">Cumulative signal level: 1 is a clean image, 0 is pure noise.</param>
    /// <exception cref="ArgumentOutOfRangeException">The level is not between 0 and 1.</exception>
    public static NoiseLevel VariancePreserving(double alphaBar) =>
        alphaBar is >= 0 and <= 1
            ? new NoiseLevel(Math.Sqrt(alphaBar), Math.Sqrt(1 - alphaBar), alphaBar, isVariancePreserving: true)
            : throw new ArgumentOutOfRangeException(nameof(alphaBar), alphaBar, "The signal level must lie between 0 (pure noise) and 1 (a clean image).");

    /// <summary>A level of a rectified flow: a = 1 - sigma, s = sigma.</summary>
    /// <param name="sigma">Time on the straight line from image (0) to noise (1).</param>
    /// <exception cref="ArgumentOutOfRangeException">The time is not between 0 and 1.</exception>
    /// <remarks>Liu et al. 2022, "Flow Straight and Fast"; Esser et al. 2024 for images.</remarks>
    public static NoiseLevel Flow(double sigma) =>
        sigma is >= 0 and <= 1
            ? new NoiseLevel(1 - sigma, sigma, (1 - sigma) * (1 - sigma) / (((1 - sigma) * (1 - sigma)) + (sigma * sigma)), isVariancePreserving: false)
            : throw new ArgumentOutOfRangeException(nameof(sigma), sigma, "The time of a flow must lie between 0 (a clean image) and 1 (pure noise).");

    /// <summary>The clean image of the same kind of model.</summary>
    public NoiseLevel Image => IsVariancePreserving ? VariancePreserving(1) : Flow(0);

    /// <summary>The factor by which the image grows from one level to another.</summary>
    internal static double SignalRatio(NoiseLevel from, NoiseLevel to) =>
        // The order of operations of the original code, to the last bit.
        from.IsVariancePreserving && to.IsVariancePreserving
            ? Math.Sqrt(to.AlphaBar / from.AlphaBar)
            : to.Signal / from.Signal;

    /// <summary>alphaBar, for formulas with the variances of DDPM.</summary>
    /// <param name="method">Who asks, for the message.</param>
    /// <exception cref="NotSupportedException">The level is one of a rectified flow.</exception>
    internal double RequireAlphaBar(string method) =>
        IsVariancePreserving
            ? AlphaBar
            : throw new NotSupportedException(
                $"{method} needs a variance-preserving model (such as Stable Diffusion), because it draws noise with the variances of DDPM; this one is a "
                    + "rectified flow. Use a deterministic method, such as ddim or null-text."
            );
}
