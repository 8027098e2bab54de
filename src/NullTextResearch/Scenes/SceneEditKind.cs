namespace NullTextResearch.Scenes;

/// <summary>How the captions of an edit differ, in prompt-to-prompt's terms.</summary>
public enum SceneEditKind
{
    /// <summary>Both captions have the same number of words; some are replaced in place.</summary>
    WordSwap,

    /// <summary>The captions differ in length: words are added (or removed) and the others keep their order.</summary>
    Refinement,
}
