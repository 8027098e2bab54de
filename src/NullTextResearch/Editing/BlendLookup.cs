using System.Text.Json.Serialization;

namespace NullTextResearch.Editing;

/// <summary>In which prompts the words of a local blend are looked up.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<BlendLookup>))]
public enum BlendLookup
{
    /// <summary>Each word in both prompts, with its counterpart: <see cref="LocalBlend.Around"/>. A word that is in neither is an error.</summary>
    EitherPrompt,

    /// <summary>
    /// The first of two words in the source prompt and the second in the target: <see cref="LocalBlend.OfPair"/>. One that is not there has no effect.
    /// </summary>
    WordPerPrompt,
}
