using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Experiments;
using NullTextResearch.Hosting;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Display;
using NullTextResearch.Interactive.Rendering;
using NullTextResearch.Inversion;
using NullTextResearch.Metrics;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Interactive;

/// <content>Sliders that compute.</content>
public sealed partial class Workbench
{
    // Positions computed beforehand if the sliders cannot compute later; enough to show the trend.
    private const int PositionsOfOneSlider = 9,
        PositionsOfEachOfTwo = 5;

    /// <summary>
    /// Reconstructs or edits an inverted image with sliders that compute: guidance scale, injection windows, word factors. Shows the sliders at once.
    /// </summary>
    /// <param name="image">The inverted image.</param>
    /// <param name="axes">
    /// One to four sliders: <see cref="SweepAxis.Guidance"/>, <see cref="SweepAxis.Word"/>, <see cref="SweepAxis.CrossReplace"/> or another.
    /// </param>
    /// <param name="prompt">Prompt of the edit; null keeps the image's own.</param>
    /// <param name="options">The other settings of the edit; null for the defaults.</param>
    /// <param name="ahead">Number of positions of the first slider computed now, spread over its range; the others are computed on demand. At least 1.</param>
    /// <param name="cancellation">Stops the computation in progress.</param>
    /// <returns>The exploration; dispose it to stop the sliders.</returns>
    public Task<Exploration> Explore(
        InvertedImage image,
        IReadOnlyList<SweepAxis> axes,
        string? prompt = null,
        EditOptions? options = null,
        int ahead = 1,
        CancellationToken cancellation = default
    )
    {
        string target = prompt ?? image.Prompt;
        EditOptions start = options ?? new EditOptions();
        EditOptions At(IReadOnlyList<double> values) => values.Zip(axes).Aggregate(start, (o, pair) => pair.Second.Apply(o, pair.First));
        if (target != image.Prompt)
            CheckWords(target);
        // Rejects words that occur in neither prompt before anything is shown.
        if (axes.All(a => a.Values.Count > 0))
            Target(image, target, At([.. axes.Select(a => a.Values[0])]));
        return Explore(
            target == image.Prompt ? target : $"{image.Prompt} → {target}",
            axes,
            (values, work) =>
            {
                using DisposeScope scope = NewDisposeScope();
                EditOptions settings = At(values);
                if (target == image.Prompt && settings.Weights.Count == 0)
                {
                    RgbImage rebuilt = Model.Decode(Sample(image, settings.GuidanceScale, work.Live, work.Cancellation))[0];
                    return new ExplorationPoint(
                        rebuilt,
                        new Measure("PSNR against the source", Psnr.Of(rebuilt, image.Image), "dB"),
                        new Measure("distance to the source", MultiScaleDistance.Of(image.Image, rebuilt))
                    );
                }

                using EditResult result = Edit(image, [Target(image, target, settings)], settings.GuidanceScale, work.Live, work.Cancellation);
                RgbImage[] decoded = Model.Decode(result.Latents);
                return new ExplorationPoint(
                    decoded[1],
                    new Measure("distance to the source", MultiScaleDistance.Of(image.Image, decoded[1])),
                    new Measure("source, rebuilt: PSNR", Psnr.Of(decoded[0], image.Image), "dB")
                );
            },
            [new NamedImage("source", image.Image)],
            ahead,
            image,
            cancellation
        );
    }

    /// <summary>SDEdit of an inverted image with a slider for its strength.</summary>
    /// <param name="image">The inverted image.</param>
    /// <param name="prompt">Prompt of the edited image.</param>
    /// <param name="strengths">t0: shares of the noise schedule, 0 to 1.</param>
    /// <param name="seed">Seed of the noise.</param>
    /// <param name="ahead">Number of positions computed now.</param>
    /// <param name="cancellation">Stops the computation in progress.</param>
    /// <returns>The exploration; dispose it to stop the slider.</returns>
    public Task<Exploration> ExploreSdEdit(
        InvertedImage image,
        string prompt,
        IReadOnlyList<double> strengths,
        long seed = 0,
        int ahead = 1,
        CancellationToken cancellation = default
    )
    {
        CheckWords(prompt);
        SweepAxis axis = SweepAxis.Of("strength t0", strengths);
        return Explore(
            $"{image.Prompt} → {prompt} (SDEdit)",
            [axis],
            (values, work) =>
            {
                using DisposeScope scope = NewDisposeScope();
                using StepEmbeddings text = StepEmbeddings.Constant(Model.Embed(prompt));
                SdEditProblem problem = new()
                {
                    Predictor = work.Watch(Model.Predictor()),
                    Grid = image.Grid,
                    Latents = Model.Encode([image.Image]),
                    Conditional = text,
                    Unconditional = image.Inversion.Unconditional,
                    GuidanceScale = image.Inversion.GuidanceScale,
                };
                using SdEditResult result = Editing.SdEdit.Run(problem, new SdEditOptions { Strength = values[0], Seed = seed }, work.Cancellation);
                RgbImage picture = Model.Decode(result.Latents)[0];
                return new ExplorationPoint(picture, new Measure("distance to the source", MultiScaleDistance.Of(image.Image, picture)));
            },
            [new NamedImage("source", image.Image)],
            ahead,
            image,
            cancellation
        );
    }

    /// <summary>
    /// DDIM inversion and edit, both at guidance scale w, with a slider for w. Shows the picture, its distance to the source and to the ground truth,
    /// and the log-likelihood of the inverted noise (the paper's Fig. 9a).
    /// </summary>
    /// <param name="image">The image with its caption, of a size that the model accepts.</param>
    /// <param name="edit">The edit; null only reconstructs the image.</param>
    /// <param name="scales">Values of w.</param>
    /// <param name="steps">T, DDIM steps.</param>
    /// <param name="options">The other settings of the edit; its guidance is ignored. Null for the defaults.</param>
    /// <param name="ahead">Number of positions computed now.</param>
    /// <param name="cancellation">Stops the computation in progress.</param>
    /// <returns>The exploration; dispose it to stop the slider.</returns>
    public Task<Exploration> ExploreGuidance(
        ExperimentImage image,
        PlannedEdit? edit,
        IReadOnlyList<double> scales,
        int steps = 50,
        EditOptions? options = null,
        int ahead = 1,
        CancellationToken cancellation = default
    )
    {
        string prompt = edit?.Prompt ?? image.Caption;
        RgbImage source = Prepared(image.Image, null, SizeOf(image, null));
        CheckWords(image.Caption, prompt);
        EditTarget target = Target(image.Caption, prompt, options ?? new EditOptions());
        TimestepGrid grid = Model.Grid(steps);
        RgbImage? truth = edit?.Truth is { } known && (known.Width, known.Height) == (source.Width, source.Height) ? known : null;
        List<NamedImage> beside = [new NamedImage("source", source)];
        if (truth is not null)
            beside.Add(new NamedImage("truth", truth));
        return Explore(
            prompt == image.Caption ? prompt : $"{image.Caption} → {prompt}",
            [SweepAxis.Of("guidance scale w", scales)],
            (values, work) =>
            {
                using DisposeScope scope = NewDisposeScope();
                double w = values[0];
                InversionProblem problem = new()
                {
                    Predictor = work.Watch(Model.Predictor()),
                    Grid = grid,
                    Latents = Model.Encode([source]),
                    Conditional = Model.Embed(image.Caption),
                    Unconditional = Model.Embed(""),
                    GuidanceScale = w,
                };
                using InversionResult inverted = new DdimInversion(new DdimInversionOptions { GuidanceScale = w }).Invert(
                    problem,
                    work.Progress,
                    work.Cancellation
                );
                using EditResult result = Edit(inverted, grid, image.Caption, [target], w, work.Live, work.Cancellation);
                RgbImage[] decoded = Model.Decode(result.Latents);
                GaussianStatistics noise = GaussianStatistics.Of(inverted.StartLatents)[0];
                List<Measure> measures = [new("distance to the source", MultiScaleDistance.Of(source, decoded[1]))];
                if (truth is not null)
                    measures.Add(new Measure("distance to the truth", MultiScaleDistance.Of(truth, decoded[1])));
                measures.Add(new Measure("log-likelihood of the noise", noise.LogLikelihood, "nats"));
                measures.Add(new Measure("source, rebuilt: PSNR", Psnr.Of(decoded[0], source), "dB"));
                return new ExplorationPoint(decoded[1], measures);
            },
            beside,
            ahead,
            null,
            cancellation
        );
    }

    /// <summary>Any computation with sliders: a picture and measures for each position. Shows the sliders at once.</summary>
    /// <param name="title">Title of the exploration.</param>
    /// <param name="axes">One to four sliders; <see cref="SweepAxis.Of"/> creates one from arbitrary numbers.</param>
    /// <param name="compute">Called with the sliders' values, once per position. Its exceptions are shown below the sliders.</param>
    /// <param name="beside">Pictures shown next to it that do not change; null for none.</param>
    /// <param name="ahead">Number of positions of the first slider computed now, spread over its range. At least 1.</param>
    /// <param name="cancellation">Stops the computation in progress.</param>
    /// <returns>The exploration; dispose it to stop the sliders.</returns>
    public Task<Exploration> Explore(
        string title,
        IReadOnlyList<SweepAxis> axes,
        Func<IReadOnlyList<double>, ExplorationWork, ExplorationPoint> compute,
        IReadOnlyList<NamedImage>? beside = null,
        int ahead = 1,
        CancellationToken cancellation = default
    ) => Explore(title, axes, compute, beside ?? [], ahead, null, cancellation);

    private async Task<Exploration> Explore(
        string title,
        IReadOnlyList<SweepAxis> axes,
        Func<IReadOnlyList<double>, ExplorationWork, ExplorationPoint> compute,
        IReadOnlyList<NamedImage> beside,
        int ahead,
        InvertedImage? image,
        CancellationToken cancellation
    )
    {
        if (axes.Count is < 1 or > 4)
            throw new ArgumentException($"An exploration has one to four sliders, got {axes.Count}.", nameof(axes));
        if (axes.FirstOrDefault(a => a.Values.Count == 0) is { } empty)
            throw new ArgumentException($"The slider '{empty.Name}' has no values.", nameof(axes));
        ArgumentOutOfRangeException.ThrowIfLessThan(ahead, 1);
        Output output = Output.Current;
        int[] start = [.. axes.Select(a => Math.Max(0, a.Values.ToList().IndexOf(a.Start ?? image?.Inversion.GuidanceScale ?? a.Values[0])))];
        LiveExchange exchange = new(this, new Exploration(title, axes), axes, compute);
        Exploration exploration = exchange.Exploration;
        // Before anything is shown, so that an element finds the service at once.
        if (Notebook.Host?.Serve(exchange.Id, exchange.Answer) is { } service)
            exploration.Serve(service);
        int[][] now = exploration.IsLive && Notebook.Host!.UpdatesLater ? Spread(axes, start, ahead) : Beforehand(axes, start);
        try
        {
            await Run(
                    title,
                    (progress, stop) =>
                    {
                        for (int i = 0; i < now.Length; i++)
                        {
                            if (now.Length > 1)
                                progress.Part(i + 1, now.Length, string.Join(", ", now[i].Select((p, k) => axes[k].Prefix + Markup.Number(axes[k].Values[p]))));
                            exchange.Compute(now[i], progress, stop);
                        }

                        return 0;
                    },
                    cancellation
                )
                .ConfigureAwait(true);
        }
        catch
        {
            exploration.Dispose();
            throw;
        }

        output.Display(new LiveView(exchange.Id, exploration, axes, start, beside));
        exchange.Show(output);
        return exploration;
    }

    // Positions of the first slider, including the start; the other sliders stay at their start.
    private static int[][] Spread(IReadOnlyList<SweepAxis> axes, int[] start, int count) =>
        [start, .. Evenly(axes[0].Values.Count, count).Where(p => p != start[0]).Select(p => (int[])[p, .. start.Skip(1)])];

    // If the sliders cannot compute: evenly spaced positions of one slider, a grid for two, one slider at a time for more.
    private static int[][] Beforehand(IReadOnlyList<SweepAxis> axes, int[] start)
    {
        int each = axes.Count == 1 ? PositionsOfOneSlider : PositionsOfEachOfTwo;
        int[][] places = [.. axes.Select((a, i) => Evenly(a.Values.Count, each).Append(start[i]).Distinct().ToArray())];
        IEnumerable<int[]> all = axes.Count switch
        {
            1 => places[0].Select(p => (int[])[p]),
            2 => places[0].SelectMany(p => places[1].Select(q => (int[])[p, q])),
            _ => places.SelectMany((ps, i) => ps.Select(p => start.Select((s, k) => k == i ? p : s).ToArray())),
        };
        return [start, .. all.Where(p => !p.SequenceEqual(start)).DistinctBy(FramesView.Place)];
    }

    private static IEnumerable<int> Evenly(int positions, int count) =>
        count >= positions ? Enumerable.Range(0, positions)
        : count == 1 ? []
        : Enumerable.Range(0, count).Select(i => (int)Math.Round((double)i * (positions - 1) / (count - 1)));
}
