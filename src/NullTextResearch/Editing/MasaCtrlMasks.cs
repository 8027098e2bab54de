using System.Text.Json.Serialization;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>Where the things are that MasaCtrl keeps apart from the background.</summary>
public sealed record MasaCtrlMasks
{
    /// <summary>Token positions of the thing in the source prompt, whose cross-attention of the running step makes the mask.</summary>
    public IReadOnlyList<int> SourceTokens { get; init; } = [];

    /// <summary>Token positions of the thing in the target prompt.</summary>
    public IReadOnlyList<int> TargetTokens { get; init; } = [];

    /// <summary>A pixel belongs to the thing from this share of the way between the map's minimum and maximum on, 0 to 1 (default 0.3).</summary>
    public double Threshold { get; init; } = 0.3;

    /// <summary>A mask of the source, [h, w] of 0 and 1, in place of tokens; borrowed.</summary>
    [JsonIgnore]
    public Tensor? Source { get; init; }

    /// <summary>A mask of the target, [h, w] of 0 and 1, in place of tokens; borrowed.</summary>
    [JsonIgnore]
    public Tensor? Target { get; init; }
}
