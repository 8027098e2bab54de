using System.Diagnostics;
using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>
/// The loop that all edits share: the inverted images and their edited versions start from the same noise and share the inversion's replay and its
/// unconditional embedding of every step. The editor directs them.
/// </summary>
public static class EditRun
{
    /// <summary>Runs an edit.</summary>
    /// <param name="problem">Images and edits.</param>
    /// <param name="editor">The editor and its options.</param>
    /// <param name="observe">Receives the latents of all rows after each step (borrowed); null to disable.</param>
    /// <param name="progress">Called after each step; null to disable.</param>
    /// <param name="cancellation">Checked before every call of the network; cancelling leaves no tensors behind.</param>
    /// <returns>The result, owned by the caller.</returns>
    /// <exception cref="ArgumentException">An edit does not fit its prompts, or the parts of the problem do not fit each other.</exception>
    /// <exception cref="InvalidOperationException">The predictor never called the editor's hook, so nothing would be edited.</exception>
    /// <exception cref="NotFiniteException">The network predicted NaN or infinity.</exception>
    /// <exception cref="ObjectDisposedException">The inversion, or the model behind the predictor, was disposed.</exception>
    public static EditResult Run(
        EditProblem problem,
        EditorOptions editor,
        Action<DiffusionStep, Tensor>? observe = null,
        IProgress<InversionProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        using UseGate.Lease use = problem.Inversion.Use();
        Check(problem);
        Stopwatch clock = Stopwatch.StartNew();
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        InversionResult inversion = problem.Inversion;
        Tensor start = inversion.StartLatents;
        using IEditDirector director = editor.Direct(problem);
        // An editor that changes nothing inside the network has no layer to reach, and the network computes as it does without a hook.
        LayerCounter? counter = director.Hook is FusedAttention ? null : new(director.Hook);
        CountingPredictor network = new(new CheckedPredictor(problem.Predictor(counter ?? director.Hook)), cancellation);
        BatchLayout rows = BatchLayout.Branches(problem.Edits.Select(e => e.Targets.Count));
        using StepEmbeddings conditional = StepEmbeddings.Of([
            .. rows.Rows.Select(r =>
                r.IsSource ? (problem.SourceEmbeddings ?? inversion.Conditional, r.Image) : (problem.TargetEmbeddings[r.Image], r.Branch - 1)
            ),
        ]);
        using StepEmbeddings unconditional = StepEmbeddings.Of([
            .. rows.Rows.Select(r => (inversion.Unconditional, inversion.Unconditional.Images == 1 ? 0 : r.Image)),
        ]);
        Tensor imageOfRow = tensor(rows.Rows.Select(r => (long)r.Image).ToArray(), device: start.device);
        SamplingPlan plan = inversion.Plan with
        {
            StartLatents = start.index_select(0, imageOfRow),
            Rows = rows,
            Conditional = conditional,
            Unconditional = unconditional,
            GuidanceScale = problem.GuidanceScale ?? inversion.GuidanceScale,
        };
        plan = director.Plan(plan, network);
        LatentState end = Sampler.Run(
            problem.Grid,
            plan,
            (step, latents) => director.Before(At(step), latents),
            Noise,
            (step, latents) => director.After(At(step), latents),
            Observe,
            cancellation
        );
        return new EditResult
        {
            Latents = end.Latents.Snapshot(),
            Edits = problem.Edits,
            Masks = director.Masks(problem.Edits, start.shape[2], start.shape[3]),
            Maps = director.TakeMaps(),
            AttentionLayers = counter?.Layers ?? 0,
            Evaluations = network.Evaluations,
            Backwards = network.Backwards,
            Elapsed = clock.Elapsed,
            Options = editor,
        };

        EditStep At(DiffusionStep step) => new(network, plan, step);

        Tensor Noise(DiffusionStep step, Tensor latents)
        {
            Tensor noise = director.Predict(At(step), latents);
            if (counter is { Layers: 0 })
                throw new InvalidOperationException(
                    "The noise predictor never called the editor's hook, so no edit would happen. Pass the hook on to the network's forward call."
                );
            return noise;
        }

        void Observe(DiffusionStep step, LatentState state)
        {
            observe?.Invoke(step, state.Latents);
            progress?.Report(new InversionProgress("edit", step.Step + 1, problem.Grid.Steps));
        }
    }

    private static void Check(EditProblem problem)
    {
        Tensor start = problem.Inversion.StartLatents;
        long images = start.shape[0];
        if (problem.Edits.Count != images)
            throw new ArgumentException(
                $"The inversion holds {images} images, but there are edits for {problem.Edits.Count}; give one {nameof(ImageEdit)} per image.",
                nameof(problem)
            );
        if (problem.TargetEmbeddings.Count != images)
            throw new ArgumentException(
                $"The inversion holds {images} images, but there are target embeddings for {problem.TargetEmbeddings.Count}.",
                nameof(problem)
            );
        CheckEmbeddings("source embeddings", problem.SourceEmbeddings ?? problem.Inversion.Conditional, images);
        for (int image = 0; image < images; image++)
            CheckEmbeddings($"target embeddings of image {image}", problem.TargetEmbeddings[image], problem.Edits[image].Targets.Count);

        void CheckEmbeddings(string what, StepEmbeddings embeddings, long rows)
        {
            if (embeddings.Images != rows)
                throw new ArgumentException($"The {what} have {embeddings.Images} rows; {rows} are needed.", nameof(problem));
            if (embeddings.IsPerStep && embeddings.Values.shape[0] != problem.Grid.Steps)
                throw new ArgumentException(
                    $"The {what} are given for {embeddings.Values.shape[0]} steps; the grid has {problem.Grid.Steps}.",
                    nameof(problem)
                );
            if (embeddings.Values.dtype != start.dtype)
                throw new ArgumentException($"The {what} are {embeddings.Values.dtype}, the latents {start.dtype}; convert one of them.", nameof(problem));
        }
    }
}
