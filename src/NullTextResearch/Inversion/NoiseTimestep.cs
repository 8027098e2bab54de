namespace NullTextResearch.Inversion;

/// <summary>Which timestep is passed to the network while latents move from one noise level to the next noisier one.</summary>
public enum NoiseTimestep
{
    /// <summary>That of the level to reach, as in the released code: noise for the latents z_t-1 is predicted at t.</summary>
    Destination,

    /// <summary>That of the latents' own level (timestep 0 for clean latents), as in the paper's formula.</summary>
    Source,
}
