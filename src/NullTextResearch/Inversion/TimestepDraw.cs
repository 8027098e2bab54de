namespace NullTextResearch.Inversion;

/// <summary>Which timesteps a method without a pivot draws from, uniformly.</summary>
public enum TimestepDraw
{
    /// <summary>Those that the sampler visits.</summary>
    Grid,

    /// <summary>All timesteps of the network, as in training.</summary>
    Schedule,
}
