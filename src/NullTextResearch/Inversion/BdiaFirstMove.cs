namespace NullTextResearch.Inversion;

/// <summary>How the first move is made, when there are not yet two latents to continue from.</summary>
public enum BdiaFirstMove
{
    /// <summary>A DDIM move from the image.</summary>
    Ddim,

    /// <summary>A DDIM move with a noise prediction of 1 everywhere, as in a published re-implementation that lacks a factor.</summary>
    WithoutNoise,

    /// <summary>A DDIM move with the network evaluated one stride below the first timestep, which may be negative, as in the authors' code.</summary>
    StrideBelow,
}
