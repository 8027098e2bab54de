using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>What to sample from and with. All tensors are borrowed.</summary>
public sealed record SamplingPlan
{
    /// <summary>Where to start: z_T, [B, 4, H, W].</summary>
    public required Tensor StartLatents { get; init; }

    /// <summary>Prompt embeddings for B images.</summary>
    public required StepEmbeddings Conditional { get; init; }

    /// <summary>Unconditional (or null-text) embeddings for B images, or for one image that serves all; null is allowed at guidance 1.</summary>
    public StepEmbeddings? Unconditional { get; init; }

    /// <summary>w.</summary>
    public double GuidanceScale { get; init; } = 7.5;

    /// <summary>w of source rows; null to use that of all other rows.</summary>
    public double? SourceGuidance { get; init; }

    /// <summary>What the B rows are; null if each is the source of its own image.</summary>
    public BatchLayout? Rows { get; init; }

    /// <summary>How to move from step to step; plain DDIM sampling if not given.</summary>
    public IReplay Replay { get; init; } = DdimReplay.Instance;

    /// <summary>First step to run; later than 0 for SDEdit.</summary>
    public int FirstStep { get; init; }

    /// <summary>What its rows are.</summary>
    internal BatchLayout Layout => Rows ?? BatchLayout.Sources((int)Conditional.Images);

    /// <summary>w of each row.</summary>
    internal IReadOnlyList<double> Scales => [.. Layout.Rows.Select(r => r.IsSource ? SourceGuidance ?? GuidanceScale : GuidanceScale)];
}
