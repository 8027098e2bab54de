namespace NullTextResearch.Inversion;

/// <summary>Options of the variants without a pivot: they draw timesteps and noise.</summary>
public abstract record RandomTimestepOptions : AnyTimeOptions
{
    /// <summary>Seed of timesteps and noise.</summary>
    public long Seed { get; init; }

    /// <summary>How many leading rows of the embedding are optimised, as <see cref="NullTextOptions.Rows"/>; null for all.</summary>
    public int? Rows { get; init; }

    /// <summary>Which timesteps are drawn; all images of a batch get the same ones.</summary>
    public TimestepDraw Timesteps { get; init; } = TimestepDraw.Grid;

    private protected override IEnumerable<string> Problems() =>
        Rows < 1 ? base.Problems().Append($"Rows is {Rows}; it must be at least 1, or null for all.") : base.Problems();
}
