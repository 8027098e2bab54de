namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="EtaInversion"/>; defaults are the published ones, without a mask.</summary>
public sealed record EtaOptions
{
    /// <summary>How the pivot is found.</summary>
    public PathOptions Inversion { get; init; } = new DdimInversionOptions();

    /// <summary>Seed of the noise; an image's noise depends on this seed and on the image's key.</summary>
    public long Seed { get; init; }

    /// <summary>Share of the DDPM noise at timestep 0, 0 to 1 (default 0); in between it changes linearly with the timestep.</summary>
    public double CleanEta { get; init; }

    /// <summary>Share of the DDPM noise at the last timestep of the table, 0 to 1 (default 0.4).</summary>
    public double NoisyEta { get; init; } = 0.4;

    /// <summary>Draws per step, of which the best is used; 1 or more (default 10).</summary>
    public int Draws { get; init; } = 10;

    internal IEnumerable<string> Problems()
    {
        foreach ((string name, double eta) in ((string, double)[])[(nameof(CleanEta), CleanEta), (nameof(NoisyEta), NoisyEta)])
        {
            if (!(eta is >= 0 and <= 1))
                yield return FormattableString.Invariant($"{name} is {eta}; it must lie in [0, 1].");
        }
        if (Draws < 1)
            yield return FormattableString.Invariant($"Draws is {Draws}; it must be at least 1.");
        foreach (string problem in Inversion.Problems())
            yield return problem;
    }
}
