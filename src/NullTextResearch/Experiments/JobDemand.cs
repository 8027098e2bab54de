using NullTextResearch.Images;
using static TorchSharp.torch;

namespace NullTextResearch.Experiments;

/// <summary>A null-text inversion to plan.</summary>
public sealed record JobDemand
{
    /// <summary>Size of the image.</summary>
    public required PixelSize ImageSize { get; init; }

    /// <summary>T, DDIM steps.</summary>
    public int Steps { get; init; } = 50;

    /// <summary>N, inner steps per step; the plan assumes that none stops early.</summary>
    public int InnerSteps { get; init; } = 10;

    /// <summary>Whether an edit follows (two images, guidance, explicit attention maps); false plans the inversion alone.</summary>
    public bool Edits { get; init; }

    /// <summary>Where the networks run.</summary>
    public Device Device { get; init; } = CPU;
}
