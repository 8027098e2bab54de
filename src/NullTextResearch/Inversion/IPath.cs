using System.Text.Json.Serialization;
using NullTextResearch.Diffusion;

namespace NullTextResearch.Inversion;

/// <summary>How clean latents become noise.</summary>
public interface IPath
{
    /// <summary>Name, as in tables and charts.</summary>
    string Name { get; }

    /// <summary>Climbs from the images to noise.</summary>
    /// <param name="problem">Images, prompts, predictor.</param>
    /// <param name="progress">Told after each step; null to disable.</param>
    /// <param name="cancellation">Checked at every step; cancelling leaves no tensors behind.</param>
    /// <returns>The walk, owned by the caller.</returns>
    /// <exception cref="InversionDivergedException">A latent became NaN or infinite.</exception>
    Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default);
}

/// <summary>
/// Options of a path, and the path as data: which one it is, and every number that its walk depends on. Each path has a record of its own; the
/// catalogue lists them (<see cref="PathCatalogue"/>).
/// </summary>
[JsonConverter(typeof(PathOptionsConverter))]
public abstract record PathOptions
{
    /// <summary>Id of the path in the catalogue.</summary>
    [JsonPropertyOrder(-1)]
    public abstract string Id { get; }

    /// <summary>Makes the path.</summary>
    public abstract IPath Create();

    /// <summary>Climbs, for a method that follows the path's levels by plain DDIM moves.</summary>
    /// <param name="problem">Images, prompts, predictor.</param>
    /// <param name="method">Who asks.</param>
    /// <param name="progress">Told after each step; null to disable.</param>
    /// <param name="cancellation">Checked at every step.</param>
    /// <returns>The levels, owned by the caller.</returns>
    /// <exception cref="ArgumentException">The path has a way back of its own; nothing was computed if the catalogue says so.</exception>
    public PivotTrajectory ClimbPlain(
        InversionProblem problem,
        string method,
        IProgress<InversionProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        Validate();
        IPath path = Create();
        if (PathCatalogue.All.FirstOrDefault(p => p.Id == Id) is { Restore: not null })
            throw new ArgumentException(PathCatalogue.Refusal(path.Name, method));
        return path.Climb(problem, progress, cancellation).TakePlainLevels(path, method);
    }

    /// <summary>Throws one exception that names every option out of range.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public void Validate() => OptionProblems.ThrowIfAny(GetType().Name, Problems());

    /// <summary>A sentence for every option out of range.</summary>
    protected internal abstract IEnumerable<string> Problems();
}

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
