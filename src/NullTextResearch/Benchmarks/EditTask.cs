using System.Text.Json.Serialization;
using NullTextResearch.Editing;

namespace NullTextResearch.Benchmarks;

/// <summary>One edit that a benchmark asks for: a picture, what it shows, and what it should show.</summary>
public sealed record EditTask
{
    /// <summary>Name, unique in its data set; letters, digits, '-' and '_' only, because files are named after it.</summary>
    public required string Id { get; init; }

    /// <summary>The type of edit that the data set files it under, such as "swap" or "1_change_object".</summary>
    public required string Kind { get; init; }

    /// <summary>What the picture shows, as given to a model.</summary>
    public required string SourcePrompt { get; init; }

    /// <summary>What the edited picture should show; equal to <see cref="SourcePrompt"/> where only words are re-weighted.</summary>
    public required string TargetPrompt { get; init; }

    /// <summary>Words (of either prompt) that show where the edit happens, for editors with a local blend; may be empty.</summary>
    public IReadOnlyList<string> BlendWords { get; init; } = [];

    /// <summary>
    /// Two words as a data set pairs them, the first of the source prompt and the second of the target, whether the prompts have them or not; empty if it does
    /// not. For <see cref="BlendLookup.WordPerPrompt"/>.
    /// </summary>
    [JsonIgnore]
    public IReadOnlyList<string> BlendPair { get; init; } = [];

    /// <summary>Factors of words of the target prompt; empty for edits that change words.</summary>
    public IReadOnlyDictionary<string, double> Weights { get; init; } = new Dictionary<string, double>();
}
