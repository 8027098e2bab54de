namespace NullTextResearch.Editing;

/// <summary>Options of <see cref="HEdit"/>; defaults are those published for its implicit form with prompt-to-prompt.</summary>
public sealed record HEditOptions : EditorOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string EditorId = "h-edit";

    /// <inheritdoc/>
    public override string Id => EditorId;

    /// <summary>Whether a step's correction is computed at the end of the step (default), where it can be repeated, or at its start.</summary>
    public bool Implicit { get; init; } = true;

    /// <summary>Corrections per implicit step, at least 1 (default 1).</summary>
    public int Rounds { get; init; } = 1;

    /// <summary>
    /// Strength of the pull back to the uncorrected step, from the second correction on, as a share of the correction; at least 0 (default 0.075).
    /// </summary>
    public double ReconstructionWeight { get; init; } = 0.075;

    /// <summary>w of the source prompt in the step that is corrected, finite (default 1). An edit-friendly inversion overrides it with its own value.</summary>
    public double SourceGuidance { get; init; } = 1;

    /// <summary>
    /// w of the source prompt in the correction, finite (default 5): it is removed while the target prompt is added with the edit's w. Unless both are equal,
    /// an edit to the same prompt strengthens that prompt.
    /// </summary>
    public double RemovedGuidance { get; init; } = 5;

    /// <summary>
    /// Share of the steps to skip, from the noisy end, 0 to below 1 (default 0.3). An edit-friendly inversion overrides it with its own value.
    /// </summary>
    public double Skip { get; init; } = 0.3;

    /// <summary>
    /// Prompt-to-prompt for the prediction of the target prompt; null for none. Source and targets always run in one batch.
    /// </summary>
    public PromptToPromptOptions? PromptToPrompt { get; init; } = new();

    /// <summary>
    /// Counts the windows of prompt-to-prompt in corrections from the first step taken, as the released code does. Off by default: they are shares of all
    /// steps.
    /// </summary>
    public bool PublishedWindows { get; init; }

    /// <summary>
    /// Without prompt-to-prompt, moves the image's own branch by the prediction for its (first) edited version, as the released code does; that branch then
    /// does not lead back to the image. Off by default; edits are the same.
    /// </summary>
    public bool PublishedSourceRow { get; init; }

    internal override bool TakesWeights => PromptToPrompt is not null;

    /// <inheritdoc/>
    public override IEditDirector Direct(EditProblem problem) => new HEdit(this, problem);
}
