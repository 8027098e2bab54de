using NullTextResearch.Attention;
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
    /// When the source's self-attention is injected: first and last step are int(bound T). The authors suggest until 0.4, and to try 0.3 to 0.7.
    /// </summary>
    public StepWindow SelfReplace { get; init; } = StepWindow.Until(0.4);

    /// <summary>Confines the edit to the place of some words; null lets everything change.</summary>
    public LocalBlend? Blend { get; init; }
}

/// <summary>All edits of one image: source and targets run side by side from one noise.</summary>
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
    /// <returns>An edit with default windows; change them by <c>with</c>.</returns>
    /// <exception cref="PromptTooLongException">A prompt does not fit the context.</exception>
    public static ImageEdit Of(ITextTokenizer tokenizer, string source, string target, PromptEdit? edit = null)
    {
        TokenizedPrompt from = tokenizer.Tokenize(source).EnsureFits(),
            to = tokenizer.Tokenize(target).EnsureFits();
        return new ImageEdit { Source = from, Targets = [new EditTarget { Prompt = to, Edit = edit ?? PromptEdit.Between(from, to) }] };
    }

    /// <summary>Rows that this image takes in a batch.</summary>
    internal int Rows => 1 + Targets.Count;
}

/// <summary>How the source branch runs.</summary>
public enum SourceBranch
{
    /// <summary>In one batch with the targets, as in the released code. Kernels may round differently at other batch sizes, so the
    /// source equals a reconstruction without targets only up to rounding (measured: 5e-7 of the latents' range after 5 float32 steps
    /// of a small network).</summary>
    Batched,

    /// <summary>By itself, with the shapes of a plain reconstruction, to which it is then equal to the last bit; its attention is handed
    /// to the targets. Two smaller network calls per step instead of one.</summary>
    Alone,
}

/// <summary>Options of prompt-to-prompt that do not depend on the prompts.</summary>
public sealed record PromptToPromptOptions : EditorOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string EditorId = "prompt-to-prompt";

    /// <inheritdoc/>
    public override string Id => EditorId;

    /// <inheritdoc/>
    public override IEditDirector Direct(EditProblem problem) =>
        new PromptToPromptProcessor(problem.Edits, problem.Grid.Steps, problem.Inversion.StartLatents.dtype, problem.Inversion.StartLatents.device, this);

    /// <summary>
    /// Self-attention is injected only at layers with at most this <see cref="AttentionSite.OwnSide"/>. Null (default) is the released code's choice:
    /// every layer whose map is smaller than the latents, and the finest too in models where that has at most 32 x 32 pixels; give a number to
    /// leave it out of such a model.
    /// </summary>
    public int? SelfReplaceMaxSide { get; init; }

    /// <summary>How the source branch runs.</summary>
    public SourceBranch SourceBranch { get; init; } = SourceBranch.Batched;

    /// <summary>Hand the attention maps over with the result.</summary>
    public bool KeepMaps { get; init; }

    /// <summary>Which maps are stored when they are kept or a local blend needs them (which needs cross-attention maps).</summary>
    public AttentionStoreOptions Store { get; init; } = new();
}
