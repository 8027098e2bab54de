namespace NullTextResearch.Inversion;

/// <summary>Which timesteps a method without a pivot draws from, uniformly.</summary>
public enum TimestepDraw
{
    /// <summary>Those that the sampler visits.</summary>
    Grid,

    /// <summary>All of the network's, as in training.</summary>
    Schedule,
}
