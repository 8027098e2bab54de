using System.Diagnostics;
using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>Inverted images and what to make of them. All tensors are borrowed.</summary>
public sealed record EditProblem
{
    /// <summary>Makes the network's noise predictor with a given attention processor.</summary>
    public required Func<IAttentionProcessor, INoisePredictor> Predictor { get; init; }

    /// <summary>Steps; those of the inversion.</summary>
    public required TimestepGrid Grid { get; init; }

    /// <summary>The inverted images.</summary>
    public required InversionResult Inversion { get; init; }

    /// <summary>Edits of each image, in the inversion's order.</summary>
    public required IReadOnlyList<ImageEdit> Edits { get; init; }

    /// <summary>Per image: embeddings of its target prompts, one row each, in the latents' dtype.</summary>
    public required IReadOnlyList<StepEmbeddings> TargetEmbeddings { get; init; }

    /// <summary>Embeddings of the source prompts, one row per image; null takes the inversion's.</summary>
    public StepEmbeddings? SourceEmbeddings { get; init; }

    /// <summary>w; null takes the inversion's.</summary>
    public double? GuidanceScale { get; init; }
}

/// <summary>Edited images. Owns its tensors.</summary>
/// <remarks>
/// Several threads may read one at a time. After <see cref="Dispose"/> every property and method that gives tensors throws <see
/// cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class EditResult : IDisposable
{
    private readonly UseGate _gate = new(nameof(EditResult));

    /// <summary>z_0 of all branches, [rows, 4, H, W]: image after image, the source and its targets.</summary>
    public required Tensor Latents
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>The edits, as asked for.</summary>
    public required IReadOnlyList<ImageEdit> Edits { get; init; }

    /// <summary>Local-blend masks at the last step, per image and target; null where a target has no local blend.</summary>
    public required IReadOnlyList<IReadOnlyList<BlendMask?>> Masks
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>Edited attention maps of all branches (rows as in <see cref="Latents"/>), if they were to be kept.</summary>
    public AttentionStore? Maps
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>Attention layers that the edit reached.</summary>
    public required int AttentionLayers { get; init; }

    /// <summary>Network evaluations (one latent with one embedding) in all.</summary>
    public required long Evaluations { get; init; }

    /// <summary>Time spent.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Options used.</summary>
    public required PromptToPromptOptions Options { get; init; }

    /// <summary>Row of a branch in <see cref="Latents"/> and in the maps.</summary>
    /// <param name="image">Image, from 0.</param>
    /// <param name="target">Target, from 0; null for the source.</param>
    public int Row(int image = 0, int? target = null) => Edits.Take(image).Sum(e => e.Rows) + (target is { } t ? 1 + t : 0);

    /// <summary>z_0 of the source branch of an image, [1, 4, H, W]; a view owned by the caller's dispose scope.</summary>
    public Tensor Source(int image = 0) => View(Row(image));

    /// <summary>z_0 of a target, [1, 4, H, W]; a view owned by the caller's dispose scope.</summary>
    public Tensor Target(int target = 0, int image = 0) => View(Row(image, target));

    /// <summary>Frees the tensors. A second time nothing happens.</summary>
    public void Dispose() =>
        _gate.Close(() =>
        {
            Latents.Dispose();
            foreach (BlendMask? mask in Masks.SelectMany(m => m))
                mask?.Dispose();
            Maps?.Dispose();
        });

    private Tensor View(int row)
    {
        using UseGate.Lease use = _gate.Use();
        return Latents.narrow(0, row, 1);
    }
}

/// <summary>
/// Prompt-to-prompt on inverted images: source and targets start from the same noise and share the optimised unconditional
/// embedding of every step; attention of the source is injected into the targets.
/// </summary>
/// <remarks>Hertz et al. 2022; Mokady et al. 2023, section 3.3 and the released notebook.</remarks>
public static class PromptToPrompt
{
    /// <summary>Edits.</summary>
    /// <param name="problem">Images and edits.</param>
    /// <param name="options">Options; null for the defaults.</param>
    /// <param name="observe">Sees the latents of all rows after each step (borrowed); may be null.</param>
    /// <param name="progress">Told after each step; may be null.</param>
    /// <param name="cancellation">Checked at every step; cancelling leaves no tensors behind.</param>
    /// <returns>The result, owned by the caller.</returns>
    /// <exception cref="ArgumentException">An edit does not fit its prompts, or the parts of the problem do not fit each other.</exception>
    /// <exception cref="InvalidOperationException">The predictor never called the attention processor, so nothing would be edited.</exception>
    /// <exception cref="ObjectDisposedException">The inversion, or the model behind the predictor, was disposed.</exception>
    public static EditResult Run(
        EditProblem problem,
        PromptToPromptOptions? options = null,
        Action<DiffusionStep, Tensor>? observe = null,
        IProgress<InversionProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        options ??= new PromptToPromptOptions();
        using UseGate.Lease use = problem.Inversion.Use();
        Check(problem);
        Stopwatch clock = Stopwatch.StartNew();
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        InversionResult inversion = problem.Inversion;
        Tensor start = inversion.StartLatents;
        PromptToPromptProcessor processor = new(problem.Edits, problem.Grid.Steps, start.dtype, start.device, options);
        try
        {
            INoisePredictor network = problem.Predictor(processor);
            CountingPredictor predictor = new(options.SourceBranch == SourceBranch.Alone ? new SourceAlone(network, processor, problem.Edits) : network);
            int[] imageOfRow = [.. problem.Edits.SelectMany((e, image) => Enumerable.Repeat(image, e.Rows))];
            using StepEmbeddings conditional = Rows([
                .. problem.Edits.SelectMany(
                    (e, image) =>
                        Enumerable
                            .Range(0, e.Targets.Count)
                            .Select(t => (problem.TargetEmbeddings[image], t))
                            .Prepend((problem.SourceEmbeddings ?? inversion.Conditional, image))
                ),
            ]);
            using StepEmbeddings unconditional = Rows([
                .. imageOfRow.Select(image => (inversion.Unconditional, inversion.Unconditional.Images == 1 ? 0 : image)),
            ]);
            Tensor rowIndex = tensor(imageOfRow.Select(i => (long)i).ToArray(), device: start.device);
            SamplingPlan plan = new()
            {
                StartLatents = start.index_select(0, rowIndex),
                Conditional = conditional,
                Unconditional = unconditional,
                GuidanceScale = problem.GuidanceScale ?? inversion.GuidanceScale,
            };
            Tensor latents = Sampler.Run(predictor, problem.Grid, plan, AfterStep, cancellation);
            return new EditResult
            {
                Latents = latents.Snapshot(),
                Edits = problem.Edits,
                Masks = processor.Masks(start.shape[2], start.shape[3]),
                Maps = options.KeepMaps ? processor.TakeStore() : null,
                AttentionLayers = processor.LayersSeen,
                Evaluations = predictor.Evaluations,
                Elapsed = clock.Elapsed,
                Options = options,
            };
        }
        finally
        {
            processor.Dispose();
        }

        Tensor AfterStep(DiffusionStep step, Tensor latents)
        {
            if (processor.LayersSeen == 0)
                throw new InvalidOperationException(
                    "The noise predictor never called the attention processor, so no edit would happen. Pass the processor on to the network's forward call."
                );
            if (inversion.Offsets is { } offsets)
            {
                // Only the source is pulled back to its pivot; targets keep their freedom.
                latents = latents.clone();
                for (int image = 0; image < problem.Edits.Count; image++)
                    latents.narrow(0, processor.SourceRow(image), 1).PlusInPlace(offsets.select(0, step.Step).narrow(0, image, 1));
            }
            latents = processor.Blend(step.Step, latents);
            observe?.Invoke(step, latents);
            progress?.Report(new InversionProgress("edit", step.Step + 1, problem.Grid.Steps));
            return latents;
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

    /// <summary>Embeddings of several rows, each from its own set; per step if any of them is.</summary>
    private static StepEmbeddings Rows(IReadOnlyList<(StepEmbeddings Set, int Row)> rows)
    {
        using DisposeScope scope = NewDisposeScope();
        if (!rows.Any(r => r.Set.IsPerStep))
            return StepEmbeddings.Constant(stack([.. rows.Select(r => r.Set.Values.select(0, r.Row))], 0));
        long steps = rows.First(r => r.Set.IsPerStep).Set.Values.shape[0];
        return StepEmbeddings.PerStep(
            stack([.. rows.Select(r => r.Set.IsPerStep ? r.Set.Values.select(1, r.Row) : r.Set.Values.select(0, r.Row).unsqueeze(0).expand(steps, -1, -1))], 1)
        );
    }

    /// <summary>Runs sources one by one, in the shapes of a plain reconstruction, then all targets with the attention that the sources left.</summary>
    private sealed class SourceAlone(INoisePredictor network, PromptToPromptProcessor processor, IReadOnlyList<ImageEdit> edits) : INoisePredictor
    {
        public Tensor Predict(Tensor latents, DiffusionStep step, Tensor embedding)
        {
            using DisposeScope scope = NewDisposeScope();
            int prompts = processor.Prompts;
            int halves = (int)(latents.shape[0] / prompts);
            int[] sources = [.. edits.Select((_, image) => processor.SourceRow(image))];
            int[] targets = [.. Enumerable.Range(0, prompts).Except(sources)];
            List<Tensor> noise = [];
            List<long> order = [];
            try
            {
                for (int image = 0; image < sources.Length; image++)
                {
                    processor.BeginSource(image);
                    Part([sources[image]]);
                }
                processor.BeginTargets();
                Part(targets);
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
                long[] both = [.. Enumerable.Range(0, halves).SelectMany(half => rows.Select(r => (long)(half * prompts + r)))];
                Tensor index = tensor(both, device: latents.device);
                noise.Add(network.Predict(latents.index_select(0, index), step, embedding.index_select(0, index)));
                order.AddRange(both);
            }
        }
    }
}
