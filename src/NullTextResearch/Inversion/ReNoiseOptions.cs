namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="ReNoisePath"/>; weights and counts of the regularisers are the paper's.</summary>
public sealed record ReNoiseOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "renoise";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>Seed of the reference's noise and of the shifts; the noise of an image also depends on its key.</summary>
    public long Seed { get; init; }

    /// <summary>How often a step is repeated from its own result, 0 or more (default 4; the released Stable Diffusion example: 1).</summary>
    public int Renoisings { get; init; } = 4;

    /// <summary>Maximum number of renoisings at early timesteps, 0 or more (default 5).</summary>
    public int MostEarly { get; init; } = 5;

    /// <summary>Timesteps below this are early, 0 or more (default 250, of the usual 1,000).</summary>
    public int EarlyBelow { get; init; } = 250;

    /// <summary>Whether a step uses the mean of several of its predictions (default) or the last one.</summary>
    public bool Average { get; init; } = true;

    /// <summary>First prediction in the mean of early steps, from 0 (default 0).</summary>
    public int EarlyAverageFrom { get; init; }

    /// <summary>First prediction after those in the mean of early steps (default 5).</summary>
    public int EarlyAverageTo { get; init; } = 5;

    /// <summary>
    /// First prediction in the mean of all other steps, from 0, and the first to be regularised (default 3). The released code has 8, which its example never
    /// reaches with a single renoising.
    /// </summary>
    public int AverageFrom { get; init; } = 3;

    /// <summary>First prediction after those in the mean of all other steps (default 5; released code 10).</summary>
    public int AverageTo { get; init; } = 5;

    /// <summary>Regularisation rounds per prediction, 0 or more (default 4); 0 for none.</summary>
    public int RegularisationRounds { get; init; } = 4;

    /// <summary>lambda_KL, 0 or more (default 0.065): how far a round moves a prediction's patches towards the statistics of the reference.</summary>
    public double PatchWeight { get; init; } = 0.065;

    /// <summary>
    /// lambda_pair for 64 x 64 latents, 0 or more (default 20): how far a round moves a prediction towards zero autocorrelation. The loss is a mean over the
    /// map, so other sizes multiply the weight by H W / 4096 to get steps of the same size; the released code does not.
    /// </summary>
    public double CorrelationWeight { get; init; } = 20;

    /// <summary>Parts of a round, each with its own random shifts, 1 or more (default 5).</summary>
    public int Shifts { get; init; } = 5;

    /// <summary>Whether a shift may be 0, which reduces the variance instead of a correlation. The released code allows this; off by default.</summary>
    public bool PublishedShifts { get; init; }

    /// <summary>
    /// Whether the reference is the prediction for the noise-free image at every timestep, as in the released code for Stable Diffusion 1 and 2. Off by
    /// default: the image gets the noise of the timestep.
    /// </summary>
    public bool PublishedReference { get; init; }

    /// <summary>w of the inversion, finite (default 1); sample with the same w to reconstruct the image.</summary>
    public double GuidanceScale { get; init; } = 1;

    /// <inheritdoc/>
    public override IPath Create() => new ReNoisePath(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems()
    {
        foreach (
            (string name, int value) in ((string, int)[])
                [
                    (nameof(Renoisings), Renoisings),
                    (nameof(MostEarly), MostEarly),
                    (nameof(EarlyBelow), EarlyBelow),
                    (nameof(EarlyAverageFrom), EarlyAverageFrom),
                    (nameof(EarlyAverageTo), EarlyAverageTo),
                    (nameof(AverageFrom), AverageFrom),
                    (nameof(AverageTo), AverageTo),
                    (nameof(RegularisationRounds), RegularisationRounds),
                ]
        )
        {
            if (value < 0)
                yield return $"{name} is {value}; it must be 0 or more.";
        }
        foreach ((string name, double value) in ((string, double)[])[(nameof(PatchWeight), PatchWeight), (nameof(CorrelationWeight), CorrelationWeight)])
        {
            if (!(value >= 0 && double.IsFinite(value)))
                yield return FormattableString.Invariant($"{name} is {value}; it must be finite and 0 or more.");
        }
        if (Shifts < 1)
            yield return $"Shifts is {Shifts}; it must be at least 1.";
        if (!double.IsFinite(GuidanceScale))
            yield return FormattableString.Invariant($"GuidanceScale is {GuidanceScale}; it must be finite.");
    }
}
