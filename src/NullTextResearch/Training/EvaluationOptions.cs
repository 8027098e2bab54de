namespace NullTextResearch.Training;

/// <summary>How much an evaluation measures.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Folder for intermediate results.</summary>
    public required string Folder { get; init; }

    /// <summary>Number of held-out scenes for round trips and samples.</summary>
    public int Scenes { get; init; } = 64;

    /// <summary>Number of held-out scenes for measures that need inversion.</summary>
    public int InvertedScenes { get; init; } = 32;

    /// <summary>
    /// Number of held-out scenes, at most <see cref="InvertedScenes"/>, for the curve of DDIM inversion and the comparison of null-text inversion variants.
    /// </summary>
    public int VariantScenes { get; init; } = 32;

    /// <summary>
    /// Whether only the usual edits are made (guidance 7.5, injection 0.8 of cross-attention and 0.4 of self-attention), a sixth of all: not those at guidance
    /// 4 and not those with other injections.
    /// </summary>
    public bool UsualEditsOnly { get; init; }

    /// <summary>Number of DDIM steps T.</summary>
    public int Steps { get; init; } = 50;

    /// <summary>Number of inner iterations N of null-text inversion.</summary>
    public int InnerSteps { get; init; } = 10;

    /// <summary>Guidance scales of the reconstruction curve.</summary>
    public IReadOnlyList<double> Guidance { get; init; } = [1, 2, 3, 4, 5, 6, 7.5];

    /// <summary>Number of threads among which the images are divided; use 1 on a GPU.</summary>
    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount);

    /// <summary>Receives a line now and then on what was measured; null to disable.</summary>
    public Action<string>? Log { get; init; }
}
