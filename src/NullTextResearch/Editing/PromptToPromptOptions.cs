using NullTextResearch.Attention;

namespace NullTextResearch.Editing;

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
    /// Self-attention is injected only at layers with at most this <see cref="AttentionSite.OwnSide"/>. Null (default) follows the released code: every layer
    /// whose map is smaller than the latents, plus the finest layers in models where those have at most 32 x 32 pixels. Set a number to exclude them in such a
    /// model.
    /// </summary>
    public int? SelfReplaceMaxSide { get; init; }

    /// <summary>How the source branch runs.</summary>
    public SourceBranch SourceBranch { get; init; } = SourceBranch.Batched;

    /// <summary>Return the attention maps with the result.</summary>
    public bool KeepMaps { get; init; }

    /// <summary>Which maps are stored if they are kept or a local blend needs them (a blend needs cross-attention maps).</summary>
    public AttentionStoreOptions Store { get; init; } = new();
}
