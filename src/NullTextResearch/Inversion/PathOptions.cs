using System.Text.Json.Serialization;

namespace NullTextResearch.Inversion;

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
