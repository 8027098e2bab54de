using NullTextResearch.Text;

namespace NullTextResearch.Editing;

/// <summary>All edits of one image: source and targets run side by side from the same noise.</summary>
public sealed record ImageEdit
{
    /// <summary>The prompt of the source branch.</summary>
    public required TokenizedPrompt Source { get; init; }

    /// <summary>At least one target; kinds of edits may be mixed.</summary>
    public required IReadOnlyList<EditTarget> Targets { get; init; }

    /// <summary>A single edit, from text.</summary>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="source">Prompt of the image.</param>
    /// <param name="target">Prompt of the edited image.</param>
    /// <param name="edit">Kind of edit; null chooses by <see cref="PromptEdit.Between"/>.</param>
    /// <returns>An edit with default windows; change them using <c>with</c>.</returns>
    /// <exception cref="PromptTooLongException">A prompt does not fit the context.</exception>
    public static ImageEdit Of(ITextTokenizer tokenizer, string source, string target, PromptEdit? edit = null)
    {
        TokenizedPrompt from = tokenizer.Tokenize(source).EnsureFits(),
            to = tokenizer.Tokenize(target).EnsureFits();
        return new ImageEdit { Source = from, Targets = [new EditTarget { Prompt = to, Edit = edit ?? PromptEdit.Between(from, to) }] };
    }

    /// <summary>Number of batch rows of this image.</summary>
    internal int Rows => 1 + Targets.Count;
}
