using NullTextResearch.Diffusion;

namespace NullTextResearch.Inversion;

/// <summary>What a path leaves behind. Owns its tensors.</summary>
public sealed class Walk : IDisposable
{
    /// <summary>The latents at every noise level, z*_0 to z*_T.</summary>
    public required PivotTrajectory Levels { get; init; }

    /// <summary>How a sampler goes back along the path; plain DDIM sampling if not given.</summary>
    public IReplay Replay { get; init; } = DdimReplay.Instance;

    /// <summary>The levels alone, which then belong to the caller, for methods that follow them by plain DDIM moves.</summary>
    /// <param name="path">The path, for the message.</param>
    /// <param name="method">Who asks.</param>
    /// <exception cref="ArgumentException">The path has a way back of its own; nothing is left behind.</exception>
    public PivotTrajectory TakePlainLevels(IPath path, string method)
    {
        if (Replay is DdimReplay)
            return Levels;
        Dispose();
        throw new ArgumentException(PathCatalogue.Refusal(path.Name, method));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Levels.Dispose();
        Replay.Dispose();
    }
}
