namespace NullTextResearch.Diffusion;

/// <summary>What a row of a network call is.</summary>
/// <param name="Image">Which image, from 0.</param>
/// <param name="Branch">0 for the image itself (the source), 1 and up for its edited versions.</param>
/// <param name="IsConditional">Whether the row sees a prompt; false for the unconditional half of classifier-free guidance.</param>
public readonly record struct BatchRow(int Image, int Branch, bool IsConditional = true)
{
    /// <summary>Whether it is the image itself, not one of its edited versions.</summary>
    public bool IsSource => Branch == 0;
}
