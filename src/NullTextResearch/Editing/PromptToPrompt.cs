using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>
/// Prompt-to-prompt on inverted images: source and targets start from the same noise and share the optimised unconditional
/// embedding of every step; attention of the source is injected into the targets.
/// </summary>
/// <remarks>Hertz et al. 2022; Mokady et al. 2023, section 3.3 and the released notebook.</remarks>
public static class PromptToPrompt
{
    /// <summary>Runs an edit.</summary>
    /// <param name="problem">Images and edits.</param>
    /// <param name="options">Options; null for the defaults.</param>
    /// <param name="observe">Receives the latents of all rows after each step (borrowed); null to disable.</param>
    /// <param name="progress">Called after each step; null to disable.</param>
    /// <param name="cancellation">Checked at every step; cancelling leaves no tensors behind.</param>
    /// <returns>The result, owned by the caller.</returns>
    /// <exception cref="ArgumentException">An edit does not fit its prompts, or the parts of the problem do not fit each other.</exception>
    /// <exception cref="InvalidOperationException">The predictor never called the hook, so nothing would be edited.</exception>
    /// <exception cref="ObjectDisposedException">The inversion, or the model behind the predictor, was disposed.</exception>
    public static EditResult Run(
        EditProblem problem,
        PromptToPromptOptions? options = null,
        Action<DiffusionStep, Tensor>? observe = null,
        IProgress<InversionProgress>? progress = null,
        CancellationToken cancellation = default
    ) => EditRun.Run(problem, options ?? new PromptToPromptOptions(), observe, progress, cancellation);
}

/// <summary>Runs sources one by one, with the tensor shapes of a plain reconstruction, then all targets with the attention stored from the sources.</summary>
internal sealed class SourceAlone(INoisePredictor network, PromptToPromptProcessor processor, IReadOnlyList<ImageEdit> edits) : INoisePredictor
{
    public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition)
    {
        using DisposeScope scope = NewDisposeScope();
        BatchLayout layout = condition.Layout();
        int[] all = [.. Enumerable.Range(0, layout.Count)];
        List<Tensor> noise = [];
        List<long> order = [];
        try
        {
            for (int image = 0; image < edits.Count; image++)
                Part([.. all.Where(row => layout[row].Image == image && layout[row].IsSource)]);
            Part([.. all.Where(row => !layout[row].IsSource)]);
        }
        finally
        {
            processor.EndStep();
        }
        long[] place = new long[order.Count];
        for (int i = 0; i < place.Length; i++)
            place[order[i]] = i;
        return cat([.. noise], 0).index_select(0, tensor(place, device: latents.device)).MoveToOuterDisposeScope();

        void Part(int[] rows)
        {
            Tensor index = tensor(rows.Select(r => (long)r).ToArray(), device: latents.device);
            Conditioning part = condition.Select(index) with { Rows = layout.Select(rows) };
            noise.Add(network.Predict(latents.index_select(0, index), step, part));
            order.AddRange(rows.Select(r => (long)r));
        }
    }
}
