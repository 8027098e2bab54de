using static TorchSharp.torch;

namespace NullTextResearch.Attention;

/// <summary>The maps of one layer, summed over steps.</summary>
/// <param name="Site">Which layer.</param>
/// <param name="Height">Height of the feature map whose pixels are the queries.</param>
/// <param name="Width">Its width.</param>
/// <param name="Sum">[rows, heads, Height x Width, keys]; owned by the store; borrowed.</param>
/// <param name="Steps">Number of maps in the sum.</param>
public sealed record StoredMap(AttentionSite Site, int Height, int Width, Tensor Sum, int Steps);
