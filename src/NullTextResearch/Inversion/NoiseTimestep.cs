namespace NullTextResearch.Inversion;

/// <summary>Which timestep the network is told while latents are moved from one noise level to the next noisier one.</summary>
public enum NoiseTimestep
{
    /// <summary>That of the level to reach: the latents of z_t-1 are judged at t. The released code.</summary>
    Destination,

    /// <summary>That of the level the latents have (timestep 0 for clean latents): the paper's formula.</summary>
    Source,
}
