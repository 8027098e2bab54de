namespace NullTextResearch.Inversion;

/// <summary>How the first move is made, before there are two latents to go on from.</summary>
public enum BdiaFirstMove
{
    /// <summary>A DDIM move from the image.</summary>
    Ddim,

    /// <summary>A DDIM move whose noise prediction is 1 everywhere: a factor is missing in a published re-implementation.</summary>
    WithoutNoise,

    /// <summary>A DDIM move, with the network asked one stride below the first timestep, which may be negative: the authors' code.</summary>
    StrideBelow,
}
