using System.Text.Json.Serialization;

namespace NullTextResearch.Inversion;

/// <summary>
/// Options of a path, which also represent the path as data: its id and every number that its result depends on. Each path has its own options record;
/// <see cref="PathCatalogue"/> lists them.
/// </summary>
[JsonConverter(typeof(PathOptionsConverter))]
public abstract record PathOptions
{
    /// <summary>Id of the path in the catalogue.</summary>
    [JsonPropertyOrder(-1)]
    public abstract string Id { get; }

    /// <summary>
    /// Raised when a change of the code changes the numbers of the same options; 0 at first. It is part of the options, and so of the key of every stored
    /// result: older results are then computed anew.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public virtual int Revision => 0;

    /// <summary>Creates the path.</summary>
    public abstract IPath Create();

    /// <summary>Runs the path for a method that follows its levels by plain DDIM moves.</summary>
    /// <param name="problem">Images, prompts, predictor.</param>
    /// <param name="method">Name of the calling method, for the message.</param>
    /// <param name="progress">Called after each step; null to disable.</param>
    /// <param name="cancellation">Checked at every step.</param>
    /// <returns>The levels, owned by the caller.</returns>
    /// <exception cref="ArgumentException">The path has its own sampling rule. If the catalogue says so, nothing was computed.</exception>
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
