namespace NullTextResearch.Perception;

/// <summary>What a metric needs beside the picture that it measures.</summary>
[Flags]
public enum MetricNeeds
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A picture to compare with, of the same size.</summary>
    Reference = 1,

    /// <summary>The pixels that count.</summary>
    Mask = 2,

    /// <summary>A text that describes the picture.</summary>
    Text = 4,

    /// <summary>A text that describes the reference.</summary>
    ReferenceText = 8,
}
