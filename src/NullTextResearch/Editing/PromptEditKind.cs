using System.Text.Json.Serialization;

namespace NullTextResearch.Editing;

/// <summary>Which <see cref="PromptEdit"/> two prompts get, by name.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PromptEditKind>))]
public enum PromptEditKind
{
    /// <summary>A word swap if both prompts have the same number of words, a refinement otherwise: <see cref="PromptEdit.Between"/>.</summary>
    ByWordCount,

    /// <summary>Always a <see cref="WordSwap"/>; prompts with different numbers of words are refused.</summary>
    Swap,

    /// <summary>Always a <see cref="Refinement"/>.</summary>
    Refine,
}
