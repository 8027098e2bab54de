namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="FixedPointPath"/>.</summary>
public sealed record FixedPointOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "fixed-point";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>Updates per step, 0 or more (default 5); 0 is DDIM inversion, with a single evaluation per step.</summary>
    public int Iterations { get; init; } = 5;

    /// <summary>How the fixed point is approached (default: Picard iteration).</summary>
    public FixedPointSolver Solver { get; init; }

    /// <summary>Previous iterates that Anderson acceleration uses in addition to the current one, 1 or more (default 5).</summary>
    public int Window { get; init; } = 5;

    /// <summary>w of the inversion, finite (default 1); sample with the same w to reconstruct the image.</summary>
    public double GuidanceScale { get; init; } = 1;

    /// <inheritdoc/>
    public override IPath Create() => new FixedPointPath(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems()
    {
        if (Iterations < 0)
            yield return $"Iterations is {Iterations}; it must be 0 or more.";
        if (Window < 1)
            yield return $"Window is {Window}; it must be at least 1.";
        if (!double.IsFinite(GuidanceScale))
            yield return FormattableString.Invariant($"GuidanceScale is {GuidanceScale}; it must be finite.");
    }
}
