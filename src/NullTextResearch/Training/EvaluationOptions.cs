namespace NullTextResearch.Training;

/// <summary>How much an evaluation looks at.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Where intermediate numbers are kept.</summary>
    public required string Folder { get; init; }

    /// <summary>Held-out scenes for round trips and samples.</summary>
    public int Scenes { get; init; } = 64;

    /// <summary>Held-out scenes for what needs inversion.</summary>
    public int InvertedScenes { get; init; } = 32;

    /// <summary>Held-out scenes for the comparison of variants of null-text inversion.</summary>
    public int VariantScenes { get; init; } = 32;

    /// <summary>T.</summary>
    public int Steps { get; init; } = 50;

    /// <summary>N of null-text inversion.</summary>
    public int InnerSteps { get; init; } = 10;

    /// <summary>Guidance scales of the reconstruction curve.</summary>
    public IReadOnlyList<double> Guidance { get; init; } = [1, 2, 3, 4, 5, 6, 7.5];

    /// <summary>Threads that share out the images; 1 on a GPU.</summary>
    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount);

    /// <summary>Told one line now and then.</summary>
    public IProgress<string>? Progress { get; init; }
}
