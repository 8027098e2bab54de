using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>One model, ready to edit: embeds target prompts and runs an editor. Invert once, edit as often as you like.</summary>
/// <param name="encode">Text encoder: prompts to conditions, B rows in the latents' dtype, owned by the caller's dispose scope.</param>
/// <param name="predictor">Creates the network's noise predictor with a given hook.</param>
/// <param name="grid">The inversion's steps.</param>
/// <param name="empty">The empty prompt, for editors that need its embedding; null if none does.</param>
public sealed class EditSession(
    Func<IReadOnlyList<TokenizedPrompt>, Conditioning> encode,
    Func<INetworkHook, INoisePredictor> predictor,
    TimestepGrid grid,
    TokenizedPrompt? empty = null
)
{
    /// <summary>Edits inverted images.</summary>
    /// <param name="inversion">The images.</param>
    /// <param name="edits">Edits of each image; source prompts are those of the inversion.</param>
    /// <param name="options">The editor and its options; null for prompt-to-prompt with its defaults.</param>
    /// <param name="guidanceScale">w; null uses the inversion's.</param>
    /// <param name="progress">Called after each step; null to disable.</param>
    /// <param name="cancellation">Checked at every step.</param>
    /// <returns>The result, owned by the caller.</returns>
    /// <remarks>
    /// If the inversion optimised the prompt embedding itself (<see cref="InversionResult.IsPromptOptimised"/>), targets reuse its rows for shared tokens; see
    /// <see cref="EmbeddingTransfer"/>.
    /// </remarks>
    /// <exception cref="ArgumentException">An edit does not fit its prompts, or the parts do not fit each other.</exception>
    /// <exception cref="ObjectDisposedException">The inversion or the model was disposed.</exception>
    public EditResult Edit(
        InversionResult inversion,
        IReadOnlyList<ImageEdit> edits,
        EditorOptions? options = null,
        double? guidanceScale = null,
        IProgress<InversionProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        using UseGate.Lease use = inversion.Use();
        options ??= new PromptToPromptOptions();
        List<StepEmbeddings> targets = [];
        using DisposeScope scope = NewDisposeScope();
        Conditioning? emptyEmbedding = null;
        try
        {
            for (int image = 0; image < edits.Count; image++)
                targets.Add(Embed(inversion, image, edits[image], options, ref emptyEmbedding));
            EditProblem problem = new()
            {
                Predictor = predictor,
                Grid = grid,
                Inversion = inversion,
                Edits = edits,
                TargetEmbeddings = targets,
                Empty = empty is null ? null : emptyEmbedding,
                GuidanceScale = guidanceScale,
            };
            return EditRun.Run(problem, options, progress: progress, cancellation: cancellation);
        }
        finally
        {
            foreach (StepEmbeddings embeddings in targets)
                embeddings.Dispose();
        }
    }

    private StepEmbeddings Embed(InversionResult inversion, int image, ImageEdit edit, EditorOptions options, ref Conditioning? emptyEmbedding)
    {
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Conditioning encoded = encode([empty ?? edit.Source, .. edit.Targets.Select(t => t.Prompt)]);
        Conditioning targets = encoded.Narrow(1, edit.Targets.Count);
        emptyEmbedding ??= encoded.Narrow(0, 1).MoveToOuterDisposeScope();
        if (!inversion.IsPromptOptimised || !options.ReusesOptimisedWords || image >= inversion.Conditional.Images)
            return StepEmbeddings.Constant(targets);
        using StepEmbeddings source = inversion.Conditional.Image(image);
        StepEmbeddings[] moved = [.. edit.Targets.Select((t, i) => EmbeddingTransfer.Transfer(source, edit.Source, t.Prompt, targets.Narrow(i, 1)))];
        StepEmbeddings all = StepEmbeddings.Of([.. moved.Select(m => (m, 0))]);
        foreach (StepEmbeddings one in moved)
            one.Dispose();
        return all;
    }
}
