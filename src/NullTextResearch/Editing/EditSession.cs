using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>One model, ready to edit: embeds target prompts and runs <see cref="PromptToPrompt"/>. Invert once, edit as often as you like.</summary>
/// <param name="encode">Text encoder: prompts to embeddings [B, tokens, d] in the latents' dtype, owned by the caller's dispose scope.</param>
/// <param name="predictor">Makes the network's noise predictor with a given attention processor.</param>
/// <param name="grid">Steps; those of the inversion.</param>
public sealed class EditSession(Func<IReadOnlyList<TokenizedPrompt>, Tensor> encode, Func<IAttentionProcessor, INoisePredictor> predictor, TimestepGrid grid)
{
    // The encoder's own output, computed in another batch, differs by rounding; an optimised embedding by much more.
    private const double RoundingShare = 1e-4;

    /// <summary>Edits inverted images.</summary>
    /// <param name="inversion">The images.</param>
    /// <param name="edits">Edits of each image; source prompts are those of the inversion.</param>
    /// <param name="options">Options; null for the defaults.</param>
    /// <param name="guidanceScale">w; null takes the inversion's.</param>
    /// <param name="progress">Told after each step; may be null.</param>
    /// <param name="cancellation">Checked at every step.</param>
    /// <returns>The result, owned by the caller.</returns>
    /// <remarks>
    /// Where the inversion optimised the prompt embedding itself (it is not the encoder's output for the source prompt),
    /// targets share its rows for common tokens: <see cref="EmbeddingTransfer"/>.
    /// </remarks>
    /// <exception cref="ArgumentException">An edit does not fit its prompts, or the parts do not fit each other.</exception>
    /// <exception cref="ObjectDisposedException">The inversion or the model was disposed.</exception>
    public EditResult Edit(
        InversionResult inversion,
        IReadOnlyList<ImageEdit> edits,
        PromptToPromptOptions? options = null,
        double? guidanceScale = null,
        IProgress<InversionProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        using UseGate.Lease use = inversion.Use();
        List<StepEmbeddings> targets = [];
        try
        {
            for (int image = 0; image < edits.Count; image++)
                targets.Add(Embed(inversion, image, edits[image]));
            EditProblem problem = new()
            {
                Predictor = predictor,
                Grid = grid,
                Inversion = inversion,
                Edits = edits,
                TargetEmbeddings = targets,
                GuidanceScale = guidanceScale,
            };
            return PromptToPrompt.Run(problem, options, progress: progress, cancellation: cancellation);
        }
        finally
        {
            foreach (StepEmbeddings embeddings in targets)
                embeddings.Dispose();
        }
    }

    private StepEmbeddings Embed(InversionResult inversion, int image, ImageEdit edit)
    {
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor own = encode([edit.Source, .. edit.Targets.Select(t => t.Prompt)]);
        Tensor targets = own.narrow(0, 1, edit.Targets.Count);
        if (image >= inversion.Conditional.Images)
            return StepEmbeddings.Constant(targets);
        using StepEmbeddings source = inversion.Conditional.Image(image);
        Tensor plain = own.narrow(0, 0, 1);
        bool optimised = source.IsPerStep || source.Values.sub(plain).abs().max().gt(plain.abs().max().Times(RoundingShare)).item<bool>();
        if (!optimised)
            return StepEmbeddings.Constant(targets);
        Tensor[] moved =
        [
            .. edit.Targets.Select(
                (t, i) =>
                {
                    using StepEmbeddings one = EmbeddingTransfer.Transfer(source, edit.Source, t.Prompt, targets.narrow(0, i, 1));
                    return one.Values.clone();
                }
            ),
        ];
        return source.IsPerStep ? StepEmbeddings.PerStep(cat(moved, 1)) : StepEmbeddings.Constant(cat(moved, 0));
    }
}
