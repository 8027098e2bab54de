using System.Text.Json.Serialization;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>Masks of the object that MasaCtrl separates from the background.</summary>
public sealed record MasaCtrlMasks
{
    /// <summary>Token positions of the object in the source prompt; their cross-attention in the current step gives the mask.</summary>
    public IReadOnlyList<int> SourceTokens { get; init; } = [];

    /// <summary>Token positions of the object in the target prompt.</summary>
    public IReadOnlyList<int> TargetTokens { get; init; } = [];

    /// <summary>
    /// A pixel belongs to the object if its attention, scaled to [0, 1] from the map's minimum to its maximum, is at least this; 0 to 1 (default 0.3).
    /// </summary>
    public double Threshold { get; init; } = 0.3;

    /// <summary>A mask of the source, [h, w] of 0 and 1, instead of tokens; borrowed.</summary>
    [JsonIgnore]
    public Tensor? Source { get; init; }

    /// <summary>A mask of the target, [h, w] of 0 and 1, instead of tokens; borrowed.</summary>
    [JsonIgnore]
    public Tensor? Target { get; init; }
}
