using System.Globalization;
using System.Runtime.CompilerServices;
using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Experiments;
using NullTextResearch.Figures;
using NullTextResearch.Figures.Paper;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Display;
using NullTextResearch.Interactive.Rendering;
using NullTextResearch.Inversion;
using NullTextResearch.Metrics;
using NullTextResearch.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Interactive;

/// <content>Inversion, editing, comparison, sweeps and experiments.</content>
public sealed partial class Workbench
{
    // Targets per network call: with the source and guidance, a batch of at most 14.
    private const int TargetsTogether = 6;

    /// <summary>Inverts an image.</summary>
    /// <param name="path">PNG, JPEG or WebP file of any size.</param>
    /// <param name="prompt">Prompt that describes the image.</param>
    /// <param name="options">Method, steps, guidance; null for null-text inversion as released.</param>
    /// <param name="cancellation">Stops the work, like the notebook's stop button; no tensors leak.</param>
    /// <returns>The inverted image, which displays itself.</returns>
    /// <exception cref="ImageFileException">The file cannot be read.</exception>
    /// <exception cref="PromptTooLongException">The prompt does not fit the model's context.</exception>
    /// <exception cref="UnknownWordsException">The model knows none of the content words of the prompt.</exception>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public Task<InvertedImage> Invert(string path, string prompt, InvertOptions? options = null, CancellationToken cancellation = default) =>
        Invert(ImageFile.Load(path), prompt, options, cancellation);

    /// <summary>Inverts an image from <see cref="Examples"/>, <see cref="Toy"/> or <see cref="Images"/>, using its caption as the prompt.</summary>
    /// <param name="image">The image.</param>
    /// <param name="options">Method, steps, guidance; null for null-text inversion as released.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The inverted image, which displays itself.</returns>
    public Task<InvertedImage> Invert(ExperimentImage image, InvertOptions? options = null, CancellationToken cancellation = default) =>
        Invert(image.Image, image.Caption, (options ?? InvertOptions.Default) with { Size = SizeOf(image, options?.Size) }, cancellation);

    /// <summary>Inverts an image.</summary>
    /// <param name="image">The image, of any size.</param>
    /// <param name="prompt">Prompt that describes the image.</param>
    /// <param name="options">Method, steps, guidance; null for null-text inversion as released.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The inverted image, which displays itself.</returns>
    public Task<InvertedImage> Invert(RgbImage image, string prompt, InvertOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= InvertOptions.Default;
        IInversion method = options.Method ?? Interactive.Methods.NullText();
        RgbImage prepared = Prepared(image, options.Crop, options.Size);
        CheckWords(prompt);
        return Run(method.Name, (progress, stop) => Invert(prepared, prompt, method, options, progress, stop), cancellation);
    }

    /// <summary>Edits an inverted image by changing its prompt.</summary>
    /// <param name="image">The inverted image; invert once, edit any number of times.</param>
    /// <param name="prompt">Prompt of the edited image; the image's own prompt with <see cref="EditOptions.Weights"/> only re-weights words.</param>
    /// <param name="options">Kind of edit, weights, local blend; null for the released defaults.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The edited image, which displays itself next to its source.</returns>
    /// <exception cref="WordNotInPromptException">A word of the options occurs in neither prompt.</exception>
    /// <exception cref="UnknownWordsException">The model knows none of the content words of the prompt.</exception>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public Task<EditedImage> Edit(InvertedImage image, string prompt, EditOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new EditOptions();
        if (prompt != image.Prompt)
            CheckWords(prompt);
        return Run(
            "edit",
            (progress, stop) =>
            {
                EditedPicture edited = Model.Edit(image.Picture, prompt, options with { KeepMaps = true }, Control(progress, stop));
                try
                {
                    using DisposeScope scope = NewDisposeScope();
                    return new EditedImage(image, edited, Model.Decode(edited.Result.Latents.narrow(0, 0, 1))[0]);
                }
                catch
                {
                    edited.Dispose();
                    throw;
                }
            },
            cancellation
        );
    }

    /// <summary>Reconstructs one image by several methods.</summary>
    /// <param name="image">The image, of any size.</param>
    /// <param name="prompt">Prompt that describes the image.</param>
    /// <param name="methods">The methods; null uses <see cref="Registered"/>.</param>
    /// <param name="options">Steps and guidance; its method is ignored.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>Pictures and a table.</returns>
    [OverloadResolutionPriority(1)] // Without methods, or with null for them, this one is meant.
    public Task<Comparison> Compare(
        RgbImage image,
        string prompt,
        IReadOnlyList<IInversion>? methods = null,
        InvertOptions? options = null,
        CancellationToken cancellation = default
    ) =>
        Compare(
            [new ExperimentImage("image", Prepared(image, options?.Crop, options?.Size), prompt)],
            methods,
            options is null ? null : options with { Crop = null, Size = null },
            cancellation
        );

    /// <summary>Reconstructs several images by several methods.</summary>
    /// <param name="images">At least one image.</param>
    /// <param name="methods">The methods; null uses <see cref="Registered"/>.</param>
    /// <param name="options">Steps and guidance; its method is ignored.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>One row of pictures per image, and a table of means.</returns>
    public Task<Comparison> Compare(
        IReadOnlyList<ExperimentImage> images,
        IReadOnlyList<IInversion>? methods = null,
        InvertOptions? options = null,
        CancellationToken cancellation = default
    )
    {
        options ??= InvertOptions.Default;
        IInversion[] chosen = [.. methods ?? _methods];
        if (images.Count == 0 || chosen.Length == 0)
            throw new ArgumentException($"A comparison needs images and methods, got {images.Count} and {chosen.Length}.");
        CheckWords([.. images.Select(i => i.Caption)]);
        string[] names =
        [
            .. chosen.Select((m, i) => chosen.Count(o => o.Name == m.Name) == 1 ? m.Name : $"{m.Name} ({chosen.Take(i + 1).Count(o => o.Name == m.Name)})"),
        ];
        return Run(
            string.Create(CultureInfo.InvariantCulture, $"comparison of {chosen.Length} method{(chosen.Length == 1 ? "" : "s")}"),
            (progress, stop) =>
            {
                List<List<InvertedImage>> results = [];
                try
                {
                    int part = 0;
                    foreach (ExperimentImage image in images)
                    {
                        List<InvertedImage> row = [];
                        results.Add(row);
                        foreach (IInversion method in chosen)
                        {
                            progress.Part(++part, images.Count * chosen.Length, method.Name);
                            row.Add(
                                Invert(
                                    Prepared(image.Image, options.Crop, SizeOf(image, options.Size)),
                                    image.Caption,
                                    method,
                                    options with
                                    {
                                        Method = method,
                                    },
                                    progress,
                                    stop
                                )
                            );
                        }
                    }

                    return new Comparison(names, results);
                }
                catch
                {
                    foreach (InvertedImage made in results.SelectMany(r => r))
                        made.Dispose();
                    throw;
                }
            },
            cancellation
        );
    }

    /// <summary>Reconstructs or edits an inverted image for every value of one or two settings.</summary>
    /// <param name="image">The inverted image.</param>
    /// <param name="axis">The setting to vary: <see cref="SweepAxis.Guidance"/>, <see cref="SweepAxis.Word"/> or another.</param>
    /// <param name="second">A second setting, for which every pair of values is computed; or null.</param>
    /// <param name="prompt">Prompt of the edit; null keeps the image's own.</param>
    /// <param name="options">The other settings of the edit; null for the defaults.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>Pictures with sliders that work in a saved notebook.</returns>
    public Task<SweepResult> Sweep(
        InvertedImage image,
        SweepAxis axis,
        SweepAxis? second = null,
        string? prompt = null,
        EditOptions? options = null,
        CancellationToken cancellation = default
    )
    {
        SweepAxis[] axes = second is null ? [axis] : [axis, second];
        if (axes.FirstOrDefault(a => a.Values.Count == 0) is { } empty)
            throw new ArgumentException($"The axis '{empty.Name}' has no values.");
        EditOptions start = options ?? new EditOptions();
        string target = prompt ?? image.Prompt;
        double[][] points =
        [
            .. axis.Values.SelectMany(a =>
                second is null
                    ?
                    [
                        [a],
                    ]
                    : second.Values.Select(b => (double[])[a, b])
            ),
        ];
        EditOptions[] settings = [.. points.Select(p => p.Zip(axes).Aggregate(start, (o, pair) => pair.Second.Apply(o, pair.First)))];
        if (target != image.Prompt)
            CheckWords(target);
        // Rejects words that occur in neither prompt before any picture is computed.
        foreach (EditOptions setting in settings)
            Target(image, target, setting);
        return Run(
            $"sweep of {string.Join(" and ", axes.Select(a => a.Name))}",
            (progress, stop) =>
            {
                RgbImage[] pictures = new RgbImage[points.Length];
                (double? Guidance, int[] Points)[] groups =
                [
                    .. Enumerable
                        .Range(0, points.Length)
                        .GroupBy(i => settings[i].GuidanceScale)
                        .SelectMany(g => g.Chunk(TargetsTogether).Select(chunk => (g.Key, chunk))),
                ];
                for (int g = 0; g < groups.Length; g++)
                {
                    using DisposeScope scope = NewDisposeScope();
                    (double? guidance, int[] members) = groups[g];
                    progress.Part(
                        g + 1,
                        groups.Length,
                        guidance is { } w ? string.Create(CultureInfo.InvariantCulture, $"w = {w}") : $"{members.Length} pictures"
                    );
                    if (target == image.Prompt && members.All(i => settings[i].Weights.Count == 0))
                    {
                        // Without an edit the target is the source: the plain sampler suffices, and all members share one picture.
                        RgbImage same = Model.Decode(Sample(image, guidance, progress, stop))[0];
                        foreach (int i in members)
                            pictures[i] = same;
                        continue;
                    }

                    using EditResult result = Edit(image, [.. members.Select(i => Target(image, target, settings[i]))], guidance, progress, stop);
                    RgbImage[] decoded = Model.Decode(result.Latents);
                    for (int k = 0; k < members.Length; k++)
                        pictures[members[k]] = decoded[k + 1];
                }

                SweepPoint[] made = [.. pictures.Select((p, i) => SweepPoint.Of(points[i], p, image.Image))];
                bool rebuilt = target == image.Prompt && settings.All(s => s.Weights.Count == 0);
                SliderView view = new(
                    [.. axes.Select(a => new SliderAxis(a.Name, [.. a.Values.Select(Markup.Number)]) { Start = StartOf(a, image) })],
                    [
                        .. made.Select(p => new NamedImage(
                            string.Join(", ", p.Values.Select((v, i) => axes[i].Prefix + Markup.Number(v)))
                                + (
                                    rebuilt
                                        ? string.Create(CultureInfo.InvariantCulture, $": {p.Psnr:0.0} dB")
                                        : string.Create(CultureInfo.InvariantCulture, $": distance {p.Distance:0.000}")
                                ),
                            p.Image
                        )),
                    ],
                    [new NamedImage("source", image.Image)],
                    target == image.Prompt ? target : $"{image.Prompt} → {target}"
                );
                return new SweepResult([.. axes.Select(a => a.Name)], view, made);
            },
            cancellation
        );
    }

    /// <summary>SDEdit of an inverted image at several strengths, with the empty prompt and with the image's null texts (the paper's Fig. 8).</summary>
    /// <param name="image">The inverted image.</param>
    /// <param name="prompt">Prompt of the edited image.</param>
    /// <param name="strengths">t0: shares of the noise schedule, 0 to 1.</param>
    /// <param name="seed">Seed of the noise.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>Pictures with two sliders: unconditional text and strength.</returns>
    public Task<SweepResult> SdEdit(
        InvertedImage image,
        string prompt,
        IReadOnlyList<double> strengths,
        long seed = 0,
        CancellationToken cancellation = default
    )
    {
        CheckWords(prompt);
        return Run(
            "SDEdit",
            (progress, stop) =>
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor latents = Model.Encode([image.Image]);
                using StepEmbeddings target = StepEmbeddings.Constant(Model.Embed(prompt));
                using StepEmbeddings empty = StepEmbeddings.Constant(Model.Embed(""));
                List<SweepPoint> points = [];
                StepEmbeddings[] texts = [empty, image.Inversion.Unconditional];
                for (int t = 0; t < texts.Length; t++)
                {
                    foreach (double strength in strengths)
                    {
                        using DisposeScope inner = NewDisposeScope();
                        progress.Report(new InversionProgress("SDEdit", points.Count, 2 * strengths.Count));
                        SdEditProblem problem = new()
                        {
                            Predictor = progress.Watch(Model.Predictor(), Model),
                            Grid = image.Grid,
                            Latents = latents,
                            Conditional = target,
                            Unconditional = texts[t],
                            GuidanceScale = image.Inversion.GuidanceScale,
                        };
                        using SdEditResult result = Editing.SdEdit.Run(problem, new SdEditOptions { Strength = strength, Seed = seed }, stop);
                        points.Add(SweepPoint.Of([t, strength], Model.Decode(result.Latents)[0], image.Image));
                    }
                }

                string[] names = ["unconditional text", "strength t0"];
                SliderView view = new(
                    [
                        new SliderAxis(names[0], ["empty prompt", "null text"]) { Start = 1 },
                        new SliderAxis(names[1], [.. strengths.Select(Markup.Number)]) { Start = strengths.Count / 2 },
                    ],
                    [
                        .. points.Select(p => new NamedImage(
                            string.Create(
                                CultureInfo.InvariantCulture,
                                $"{(p.Values[0] == 0 ? "empty prompt" : "null text")}, t0 = {p.Values[1]:0.##}: distance {p.Distance:0.000}"
                            ),
                            p.Image
                        )),
                    ],
                    [new NamedImage("source", image.Image)],
                    $"{image.Prompt} → {prompt} (SDEdit)"
                );
                return new SweepResult(names, view, points);
            },
            cancellation
        );
    }

    /// <summary>The decoded trajectory from image to noise and back, as a film strip.</summary>
    /// <param name="image">The inverted image.</param>
    /// <param name="frames">Pictures per row, 2 or more.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>Two rows: the pivot (if the method has one), and the guided sampling that follows it.</returns>
    public Task<GridView> Trajectory(InvertedImage image, int frames = 8, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frames, 2);
        return Run(
            "trajectory",
            (progress, stop) =>
            {
                using DisposeScope scope = NewDisposeScope();
                int steps = image.Grid.Steps;
                // Noise levels, clean to noisy; step i ends at level T - i - 1.
                int[] levels = [.. Enumerable.Range(0, frames).Select(f => (int)Math.Round((double)f * steps / (frames - 1))).Distinct()];
                Dictionary<int, Tensor> sampled = new() { [steps] = image.Inversion.StartLatents };
                Sample(
                    image,
                    null,
                    progress,
                    stop,
                    reached: (step, latents) =>
                    {
                        int level = steps - step.Step - 1;
                        if (levels.Contains(level))
                            sampled[level] = latents.clone().DetachFromDisposeScope();
                    }
                );
                try
                {
                    IReadOnlyList<GridCell?> Cells(Func<int, Tensor> of) => [.. levels.Select(level => new GridCell(Model.Decode(of(level))[0]))];
                    PivotTrajectory? pivot = image.Inversion.Pivot;
                    IReadOnlyList<GridCell?> back = Cells(level => sampled[level]);
                    return new GridView(
                        new ImageGrid
                        {
                            Title = image.Prompt,
                            Subtitle = image.Method,
                            MinimumCellSize = 128,
                            ColumnLabels =
                            [
                                .. levels.Select(level =>
                                    level == 0 ? "clean" : string.Create(CultureInfo.InvariantCulture, $"t = {image.Grid.Moves[steps - level].Timestep}")
                                ),
                            ],
                            RowLabels = pivot is null ? ["sampling"] : ["inversion", "sampling"],
                            Rows = pivot is null ? [back] : [Cells(level => pivot[level]), back],
                        }
                    );
                }
                finally
                {
                    foreach ((int level, Tensor latents) in sampled)
                    {
                        if (level < steps)
                            latents.Dispose();
                    }
                }
            },
            cancellation
        );
    }

    /// <summary>Shows where the reconstruction attends to each word of its prompt.</summary>
    /// <param name="image">The inverted image.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>A map per word, averaged over steps, heads and layers.</returns>
    public Task<AttentionView> Attention(InvertedImage image, CancellationToken cancellation = default) =>
        Run(
            "attention maps",
            (progress, stop) =>
            {
                using DisposeScope scope = NewDisposeScope();
                using AttentionStore store = new();
                Sample(image, null, progress, stop, new StoringAttention(store));
                return Maps(store, 0, image.Prompt, image.Image);
            },
            cancellation
        );

    /// <summary>
    /// Shows the features inside the network while an inverted image is sampled: the first three principal components of each residual block on the way up, as
    /// colours (Tumanyan et al. 2023, plug-and-play). One analysis per block over all steps shown, so that a colour means the same along a row.
    /// </summary>
    /// <param name="image">The inverted image.</param>
    /// <param name="steps">Sampling steps, 0 (noisiest) to T-1; null for three, spread over the way.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>A row per block, a column per step. Plug-and-play passes on the features of the framed block.</returns>
    public Task<GridView> Features(InvertedImage image, IReadOnlyList<int>? steps = null, CancellationToken cancellation = default)
    {
        int all = image.Grid.Steps;
        int[] shown = [.. (steps ?? [all / 10, all / 2, all - 1]).Distinct()];
        if (shown.Length == 0 || shown.Any(s => s < 0 || s >= all))
            throw new ArgumentOutOfRangeException(nameof(steps), string.Join(", ", shown), $"The image has the steps 0 to {all - 1}.");
        return Run(
            "features",
            (progress, stop) =>
            {
                using DisposeScope scope = NewDisposeScope();
                using FeatureStore store = new(shown.ToHashSet());
                Sample(image, null, progress, stop, store);
                return new GridView(ComponentGrid(image, store, shown));
            },
            cancellation
        );
    }

    private static ImageGrid ComponentGrid(InvertedImage image, FeatureStore store, int[] shown)
    {
        List<IReadOnlyList<GridCell?>> rows = [];
        List<string> names = [];
        foreach (
            IGrouping<ResidualSite, StoredFeature> block in store
                .Features.Where(f => f.Site.Stage == UNetStage.Up)
                .GroupBy(f => f.Site)
                .OrderBy(g => g.Key.Order)
        )
        {
            using DisposeScope scope = NewDisposeScope();
            StoredFeature[] at = [.. shown.Select(step => block.First(f => f.Step == step))];
            (IReadOnlyList<double[][]> coordinates, double[] shares) = PrincipalComponents.Of([.. at.Select(f => f.Values[0])]);
            IReadOnlyList<byte[]> colours = PrincipalComponents.Colours(coordinates);
            (int height, int width) = ((int)at[0].Values.shape[2], (int)at[0].Values.shape[3]);
            bool passedOn = block.Key is { Block: 1, Layer: 1 };
            rows.Add([.. colours.Select(c => new GridCell(new RgbImage(width, height, c)) { Highlight = passedOn })]);
            names.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"up {block.Key.Block + 1}.{block.Key.Layer + 1}, {width} x {height}: {shares.Sum():0%} of the variance"
                )
            );
        }

        return new ImageGrid
        {
            Title = image.Prompt,
            RowLabels = names,
            ColumnLabels = [.. shown.Select(s => string.Create(CultureInfo.InvariantCulture, $"step {s + 1} of {image.Grid.Steps}"))],
            Rows = rows,
            MinimumCellSize = 128,
        };
    }

    /// <summary>Shows where an edited image attends to each word of its prompt.</summary>
    /// <param name="edit">The edited image.</param>
    /// <returns>A map per word, averaged over steps, heads and layers, after the injection.</returns>
    public AttentionView Attention(EditedImage edit)
    {
        using DisposeScope scope = NewDisposeScope();
        return Maps(edit.Result.Maps!, edit.Result.Row(0, 0), edit.Prompt, edit.Image);
    }

    /// <summary>Runs a built-in or custom experiment on images; finished parts are stored and not computed again.</summary>
    /// <param name="title">Title of the progress display.</param>
    /// <param name="images">At least one image.</param>
    /// <param name="settings">
    /// Scale of the experiment: <see cref="ExperimentSettings.Quick"/>, <see cref="ExperimentSettings.Default"/>, <see cref="ExperimentSettings.Paper"/>.
    /// </param>
    /// <param name="experiment">
    /// The experiment, such as <c>GuidanceSweep.Run</c> or <c>lab => Reconstruction.Run(lab, ReconstructionMethod.NullText, [1, 10])</c>.
    /// </param>
    /// <param name="cancellation">Stops the work; finished parts stay stored.</param>
    /// <returns>The result of the experiment.</returns>
    public Task<T> Experiment<T>(
        string title,
        IReadOnlyList<ExperimentImage> images,
        ExperimentSettings settings,
        Func<ExperimentLab, T> experiment,
        CancellationToken cancellation = default
    ) =>
        Run(
            title,
            (progress, stop) =>
            {
                _fingerprint ??= Model.Fingerprint();
                using ExperimentLab lab = new(Model, images, settings, new ResultCache(CacheFolder), _fingerprint) { Cancellation = stop, Progress = progress };
                return experiment(lab);
            },
            cancellation
        );

    /// <summary>Makes a figure of the paper, as <c>nulltext reproduce</c> does; finished parts are stored and shared with other figures.</summary>
    /// <param name="name">Id or number: <c>fig04</c>, <c>4</c>, <c>ablations</c>.</param>
    /// <param name="images">At least one image; with edits where the figure needs them.</param>
    /// <param name="settings">Scale of the experiment; null for <see cref="ExperimentSettings.Quick"/>.</param>
    /// <param name="cancellation">Stops the work; finished parts stay stored.</param>
    /// <returns>Text, verdicts, charts, pictures and tables; shown as a whole at the end of a cell.</returns>
    /// <exception cref="ArgumentException">There is no such figure, or an image lacks the edits that it needs.</exception>
    public Task<FigureContent> Figure(
        string name,
        IReadOnlyList<ExperimentImage> images,
        ExperimentSettings? settings = null,
        CancellationToken cancellation = default
    )
    {
        PaperFigure figure = PaperFigure.Find(name);
        if (figure.NeedsEdits && images.FirstOrDefault(i => i.Edits.Count == 0) is { } bare)
            throw new ArgumentException($"{figure.Title} edits every image, but \"{bare.Name}\" comes without an edit.", nameof(images));
        return Experiment(figure.Title, images, settings ?? ExperimentSettings.Quick, figure.Make, cancellation);
    }

    private InvertedImage Invert(RgbImage image, string prompt, IInversion method, InvertOptions options, LiveProgress progress, CancellationToken stop)
    {
        // The image is already prepared and its prompt checked.
        InvertOptions asIs = options with
        {
            Method = method,
            Crop = null,
            Size = ImageSizing.AsIs,
        };
        return new InvertedImage(Model.Invert(image, prompt, asIs, Control(progress, stop)));
    }

    private RunControl Control(LiveProgress progress, CancellationToken stop) =>
        new()
        {
            Progress = progress,
            Cancellation = stop,
            Watch = predictor => progress.Watch(predictor, Model),
        };

    // Shown in the cell's output before the work begins, because the picture alone would not reveal that a word is unknown.
    private void CheckWords(params IReadOnlyList<string> prompts)
    {
        IReadOnlyList<string> notes = Model.CheckPrompts(prompts);
        if (notes.Count > 0)
            Output.Current.Display(string.Join('\n', notes.Select(n => $"note: {n}")));
    }

    /// <summary>Samples an inverted image again; owned by the caller's dispose scope.</summary>
    /// <param name="image">The inverted image.</param>
    /// <param name="guidance">w; null for the inversion's.</param>
    /// <param name="progress">Shows the steps.</param>
    /// <param name="stop">Stops the sampling.</param>
    /// <param name="hook">Watches the network; null for none.</param>
    /// <param name="reached">Receives each step and the latents after it; null for none.</param>
    private Tensor Sample(
        InvertedImage image,
        double? guidance,
        LiveProgress progress,
        CancellationToken stop,
        INetworkHook? hook = null,
        Action<DiffusionStep, Tensor>? reached = null
    )
    {
        int steps = image.Grid.Steps;
        SamplingPlan plan = image.Inversion.Plan;
        return Sampler.Run(
            progress.Watch(Model.Predictor(hook), Model),
            image.Grid,
            plan with
            {
                GuidanceScale = guidance ?? plan.GuidanceScale,
            },
            (step, latents) =>
            {
                reached?.Invoke(step, latents);
                progress.Report(new InversionProgress("sampling", step.Step + 1, steps));
                return latents;
            },
            stop
        );
    }

    private EditResult Edit(InvertedImage image, IReadOnlyList<EditTarget> targets, double? guidance, LiveProgress progress, CancellationToken stop) =>
        Edit(image.Inversion, image.Grid, image.Prompt, targets, guidance, progress, stop);

    private EditResult Edit(
        InversionResult inversion,
        TimestepGrid grid,
        string prompt,
        IReadOnlyList<EditTarget> targets,
        double? guidance,
        LiveProgress progress,
        CancellationToken stop
    ) => Model.Edit(inversion, grid, prompt, targets, guidance, new PromptToPromptOptions { KeepMaps = true }, Control(progress, stop));

    private EditTarget Target(InvertedImage image, string prompt, EditOptions options) => Target(image.Prompt, prompt, options);

    private EditTarget Target(string caption, string prompt, EditOptions options) => options.Target(Model.Tokenizer, caption, prompt);

    private AttentionView Maps(AttentionStore store, int row, string prompt, RgbImage image)
    {
        TokenizedPrompt tokens = Model.Tokenizer.Tokenize(prompt).EnsureFits();
        int height = 0,
            width = 0;
        WordAttention[] words =
        [
            .. tokens.Words.Select(
                (word, i) =>
                {
                    using DisposeScope scope = NewDisposeScope();
                    Tensor map = store.AverageMap(tokens.PositionsOfWordAt(i), null, row);
                    (height, width) = ((int)map.shape[0], (int)map.shape[1]);
                    return new WordAttention(word, map.to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray());
                }
            ),
        ];
        return new AttentionView(image, prompt, width, height, words);
    }

    // The neutral position, if the axis has it: the inversion's own guidance scale, or a factor of 1.
    private static int StartOf(SweepAxis axis, InvertedImage image) => Math.Max(0, axis.Values.ToList().IndexOf(axis.Start ?? image.Inversion.GuidanceScale));
}
