using NullTextResearch.Text;

namespace NullTextResearch.Editing;

/// <summary>One edited version of an image.</summary>
public sealed record EditTarget
{
    /// <summary>What the edited image should show.</summary>
    public required TokenizedPrompt Prompt { get; init; }

    /// <summary>How the source's cross-attention maps become this target's.</summary>
    public required PromptEdit Edit { get; init; }

    /// <summary>When cross-attention maps are injected. Released examples: until 0.8.</summary>
    public CrossReplaceSchedule CrossReplace { get; init; } = new();

    /// <summary>
    /// When the source's self-attention is injected: first and last step are int(bound T). The authors suggest until 0.4, and trying 0.3 to 0.7.
    /// </summary>
    public StepWindow SelfReplace { get; init; } = StepWindow.Until(0.4);

    /// <summary>Confines the edit to the region of some words; null lets the whole image change.</summary>
    public LocalBlend? Blend { get; init; }
}
