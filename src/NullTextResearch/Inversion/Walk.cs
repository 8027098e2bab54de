using NullTextResearch.Diffusion;

namespace NullTextResearch.Inversion;

/// <summary>The result of a path. Owns its tensors.</summary>
public sealed class Walk : IDisposable
{
    /// <summary>The latents at every noise level, z*_0 to z*_T.</summary>
    public required PivotTrajectory Levels { get; init; }

    /// <summary>How a sampler gets back to the image; plain DDIM sampling if not given.</summary>
    public IReplay Replay { get; init; } = DdimReplay.Instance;

    /// <summary>Hands the levels alone to the caller, who then owns them, for methods that follow them by plain DDIM moves.</summary>
    /// <param name="path">The path, for the message.</param>
    /// <param name="method">Name of the calling method, for the message.</param>
    /// <exception cref="ArgumentException">The path has its own sampling rule; the walk was disposed.</exception>
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
