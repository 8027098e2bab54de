namespace NullTextResearch.Inversion;

/// <summary>Where <see cref="TextualInversion"/> starts.</summary>
public enum TextualStart
{
    /// <summary>The embedding of the prompt.</summary>
    Prompt,

    /// <summary>Normal noise with the root mean square of the prompt's embedding.</summary>
    Noise,
}
