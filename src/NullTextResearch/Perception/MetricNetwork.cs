namespace NullTextResearch.Perception;

/// <summary>The networks with published weights that some metrics use.</summary>
public enum MetricNetwork
{
    /// <summary>LPIPS on AlexNet.</summary>
    LpipsAlex,

    /// <summary>LPIPS on VGG-16.</summary>
    LpipsVgg,

    /// <summary>LPIPS on SqueezeNet 1.1.</summary>
    LpipsSqueeze,

    /// <summary>CLIP.</summary>
    Clip,

    /// <summary>DINO.</summary>
    Dino,
}
