using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using NullTextResearch.Scenes;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>One line of an evaluation.</summary>
/// <param name="Measure">What was measured.</param>
/// <param name="Value">The number, as text with unit.</param>
/// <param name="Bar">The bar, as text, or empty where there is none.</param>
/// <param name="Met">Whether the bar is met; null where there is none.</param>
public sealed record EvaluationRow(string Measure, string Value, string Bar, bool? Met);

/// <summary>How much an evaluation looks at.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Where intermediate numbers are kept.</summary>
    public required string Folder { get; init; }

    /// <summary>Held-out scenes for round trips and samples.</summary>
    public int Scenes { get; init; } = 64;

    /// <summary>Held-out scenes for what needs inversion.</summary>
    public int InvertedScenes { get; init; } = 32;

    /// <summary>Held-out scenes for the comparison of variants of null-text inversion.</summary>
    public int VariantScenes { get; init; } = 32;

    /// <summary>T.</summary>
    public int Steps { get; init; } = 50;

    /// <summary>N of null-text inversion.</summary>
    public int InnerSteps { get; init; } = 10;

    /// <summary>Guidance scales of the reconstruction curve.</summary>
    public IReadOnlyList<double> Guidance { get; init; } = [1, 2, 3, 4, 5, 6, 7.5];

    /// <summary>Threads that share out the images; 1 on a GPU.</summary>
    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount);

    /// <summary>Told one line now and then.</summary>
    public IProgress<string>? Progress { get; init; }
}

/// <summary>
/// Measures a model of the toy world on held-out scenes: autoencoder, judge, samples, reconstruction, null-text inversion
/// and edits against rendered truth.
/// </summary>
public sealed class ModelEvaluation
{
    private readonly StableDiffusion _model;
    private readonly SceneClassifier _classifier;
    private readonly TrainingRecipe _recipe;
    private readonly EvaluationOptions _options;
    private readonly ResultStore _store;
    private readonly List<EvaluationRow> _rows = [];

    /// <summary>Opens an evaluation, or goes on with the one that the folder holds for this very model.</summary>
    /// <param name="model">Model loaded from a folder, in float32; borrowed.</param>
    /// <param name="classifier">Judge; borrowed.</param>
    /// <param name="options">How much to look at.</param>
    public ModelEvaluation(StableDiffusion model, SceneClassifier classifier, EvaluationOptions options)
    {
        if (model.Folder is not { } folder) throw new ArgumentException("Only a model loaded from a folder can be evaluated: its file tells old numbers from new ones.", nameof(model));
        _model = model;
        _classifier = classifier;
        _recipe = new TrainingRecipe { ImageSize = model.ImageSize, Domain = classifier.Domain };
        _options = options;
        Directory.CreateDirectory(options.Folder);
        using FileStream weights = File.OpenRead(Path.Combine(folder, "unet", "diffusion_pytorch_model.safetensors"));
        using FileStream decoder = File.OpenRead(Path.Combine(folder, "vae", "diffusion_pytorch_model.safetensors"));
        string key = $"{Convert.ToHexStringLower(SHA256.HashData(weights))[..16]}-{Convert.ToHexStringLower(SHA256.HashData(decoder))[..16]}-{options.Steps}x{options.InnerSteps}";
        _store = new ResultStore(Path.Combine(options.Folder, "evaluation.json"), key);
    }

    private Device Device => _model.Device;

    /// <summary>Runs everything that the folder does not hold already.</summary>
    /// <param name="cancel">Stops after the image under way; a later run goes on there.</param>
    /// <returns>All rows, in order.</returns>
    public IReadOnlyList<EvaluationRow> Run(CancellationToken cancel = default)
    {
        using WorkerPool pool = new(_options.Workers);
        _rows.Clear();
        if (_store.Damage is { } damage) _options.Progress?.Report(damage);
        RoundTrips(pool, cancel);
        Classifier(pool);
        Samples(pool, cancel);
        Reconstruction(pool, cancel);
        NullText(pool, cancel);
        Edits(pool, cancel);
        Variants(pool, cancel);
        return _rows;
    }

    /// <summary>The rows as a Markdown table.</summary>
    public static string ToMarkdown(IEnumerable<EvaluationRow> rows)
    {
        StringBuilder text = new("| measure | value | bar | met |\n|---|---|---|---|\n");
        foreach (EvaluationRow row in rows)
            text.Append(CultureInfo.InvariantCulture, $"| {row.Measure} | {row.Value} | {row.Bar} | {row.Met switch { true => "yes", false => "**no**", null => "" }} |\n");
        return text.ToString();
    }

    private void RoundTrips(WorkerPool pool, CancellationToken cancel)
    {
        PerImage(pool, "vae", _options.Scenes, 4, cancel, (renderer, scenes, _) => Psnr(_model.Vae.Decode(_model.Vae.Encode(Pixels(renderer, scenes))), Pixels(renderer, scenes)).Select(p => new[] { p }).ToArray());
        Row("autoencoder round trip, held-out scenes", Mean("vae", _options.Scenes), "dB", 30, atLeast: true);
    }

    private void Classifier(WorkerPool pool) => VaeTrainer.WithRenderers(pool, renderers =>
    {
        foreach ((string name, Vae.AutoencoderKL? through, int count, double bar) in new[] { ("held-out scenes", null, 1000, 97.0), ("their round trips", _model.Vae, 512, 95.0) })
        {
            string key = $"classifier/{name}";
            if (_store.Find(key) is not { } found)
            {
                ClassifierAccuracy accuracy = ClassifierTrainer.Measure(_classifier, through, _recipe, Device, pool, renderers, count);
                _store.Add(key, found = [100 * accuracy.Objects, 100 * accuracy.Backgrounds, 100 * accuracy.Colours]);
            }

            Row($"classifier on {count} {name}: objects", found[0], "%", bar, atLeast: true);
            Row($"classifier on {count} {name}: background", found[1], "%", bar, atLeast: true);
            Row($"classifier on {count} {name}: colour", found[2], "%", null, atLeast: true);
        }
    });

    private void Samples(WorkerPool pool, CancellationToken cancel)
    {
        foreach (double w in (double[])[7.5, 4, 2])
        {
            string part = Invariant($"samples/{w}");
            PerImage(pool, part, _options.Scenes, 4, cancel, (_, scenes, first) =>
            {
                using StepEmbeddings conditional = StepEmbeddings.Constant(Embed(scenes.Select(s => s.Caption))), unconditional = StepEmbeddings.Constant(Embed([""]));
                Tensor start = cat([.. scenes.Select((_, i) => Seeds.Normal(5_000 + first + i, LatentShape(1), empty([1], ScalarType.Float32, Device)))]);
                Tensor latents = Sampler.Run(Predictor(), Grid(), new SamplingPlan { StartLatents = start, Conditional = conditional, Unconditional = unconditional, GuidanceScale = w });
                IReadOnlyList<SceneJudgement> seen = _classifier.Judge(_model.Vae.Decode(latents).Clamped(-1, 1));
                double[] deviations = [.. latents.std([1, 2, 3]).data<float>().ToArray().Select(x => (double)x)];
                return [.. scenes.Select((s, i) => new[]
                {
                    seen[i].ObjectsAgree(s) ? 100.0 : 0, seen[i].Background == s.Background ? 100.0 : 0, deviations[i],
                    s.Objects.Count == 1 && s.Objects[0].Colour is { } c ? (seen[i].Colour == c ? 100.0 : 0) : double.NaN,
                    s.Objects.Count == 1 ? (seen[i].Object == s.Objects[0].Kind ? 100.0 : 0) : double.NaN,
                })];
            });
            bool bar = w == 7.5;
            Row(Invariant($"samples at w={w}, {_options.Scenes} held-out captions: objects"), Mean(part, _options.Scenes), "%", bar ? 80 : null, atLeast: true);
            Row(Invariant($"samples at w={w}: object, captions with one object"), Mean(part, _options.Scenes, 4), "%", null, atLeast: true);
            Row(Invariant($"samples at w={w}: background"), Mean(part, _options.Scenes, 1), "%", bar ? 90 : null, atLeast: true);
            Row(Invariant($"samples at w={w}: colour"), Mean(part, _options.Scenes, 3), "%", null, atLeast: true);
            Row(Invariant($"samples at w={w}: standard deviation of latents (real 1.00)"), Mean(part, _options.Scenes, 2), "", null, atLeast: true);
        }
    }

    private void Reconstruction(WorkerPool pool, CancellationToken cancel)
    {
        int n = _options.InvertedScenes;
        double previous = double.PositiveInfinity;
        bool falls = true;
        StringBuilder same = new();
        foreach (double w in _options.Guidance)
        {
            string part = Invariant($"ddim/{w}");
            PerImage(pool, part, n, 4, cancel, (renderer, scenes, _) =>
            {
                Tensor pixels = Pixels(renderer, scenes);
                InversionProblem problem = Problem(scenes, _model.Vae.Encode(pixels), w);
                double[] Of(InversionResult result)
                {
                    using (result) return Psnr(_model.Vae.Decode(Sampler.Run(problem.Predictor, problem.Grid, result.Plan)), pixels);
                }

                double[] both = Of(new DdimInversion(new DdimInversionOptions { GuidanceScale = w }).Invert(problem));
                // Plain DDIM, inverted at 1, is the baseline of null-text inversion at the highest scale only.
                double[] one = w == 1 ? both : w == _options.Guidance[^1] ? Of(new DdimInversion().Invert(problem)) : [.. both.Select(_ => double.NaN)];
                return [.. both.Select((b, i) => new[] { b, one[i] })];
            });
            double mean = Mean(part, n);
            falls &= mean < previous;
            previous = mean;
            same.Append(Invariant($"{(same.Length > 0 ? ", " : "")}w={w}: {mean:F2}"));
        }

        _rows.Add(new EvaluationRow($"DDIM inverted and sampled at w, {n} scenes, dB", same.ToString(), "falls with w", falls));
        double last = _options.Guidance[^1];
        Row(Invariant($"DDIM inverted at 1, sampled at w={last}"), Mean(Invariant($"ddim/{last}"), n, 1), "dB", null, atLeast: true);
    }

    private void NullText(WorkerPool pool, CancellationToken cancel)
    {
        int n = _options.InvertedScenes, timed = Math.Min(4, n);
        foreach (double w in EditGuidance)
            PerImage(pool, Invariant($"nulltext/{w}"), n, 4, cancel, (renderer, scenes, _) => InvertAndEdit(renderer, scenes, w));
        // One image on one thread, the other workers idle: what a user waits for.
        using (WorkerPool one = new(1))
            PerImage(one, "nulltext/one", timed, 1, cancel, (renderer, scenes, _) =>
            {
                using InversionResult result = new NullTextInversion(NullTextOptions).Invert(Problem(scenes, _model.Vae.Encode(Pixels(renderer, scenes)), 7.5));
                return [[result.Elapsed.TotalSeconds, result.BackwardsPerImage]];
            });
        double mean = Mean("nulltext/7.5", n), limit = Mean("nulltext/7.5", n, 1);
        Row($"null-text at w=7.5, {n} scenes, {_options.Steps}x{_options.InnerSteps}", mean, "dB", null, atLeast: true);
        Row("its distance to the autoencoder's bound", limit - mean, "dB", 0.5, atLeast: false);
        Row("its lead over plain DDIM (inverted at 1) at w=7.5", mean - Mean("ddim/7.5", n, 1), "dB", 5, atLeast: true);
        Row($"its time for one image, one thread, {timed} images", Mean("nulltext/one", timed), "s", 30, atLeast: false);
        Row("its gradient steps per image", Mean("nulltext/7.5", n, 2), "", null, atLeast: true);
        Row("null-text at w=4: distance to the bound", Mean("nulltext/4", n, 1) - Mean("nulltext/4", n), "dB", null, atLeast: false);
    }

    // Columns of "nulltext/w": PSNR, bound, gradient steps, then per kind of edit and injection the numbers of Compare.
    private const int FirstEdit = 3, PerEdit = 5;
    private static readonly double[] EditGuidance = [7.5, 4];
    private static readonly (double Cross, double Self)[] Injections = [(0.8, 0.4), (0.4, 0.2), (0, 0)];

    private NullTextOptions NullTextOptions => new() { InnerSteps = _options.InnerSteps };

    private enum EditKind
    {
        Swap,
        Colour,
        Background,
    }

    private double[][] InvertAndEdit(SceneRenderer renderer, IReadOnlyList<SceneDescription> scenes, double w)
    {
        Tensor pixels = Pixels(renderer, scenes);
        Tensor latents = _model.Vae.Encode(pixels);
        InversionProblem problem = Problem(scenes, latents, w);
        using InversionResult all = new NullTextInversion(NullTextOptions).Invert(problem);
        double[] psnr = Psnr(_model.Vae.Decode(Sampler.Run(problem.Predictor, problem.Grid, all.Plan)), pixels), bound = Psnr(_model.Vae.Decode(latents), pixels);
        double[][] values = new double[scenes.Count][];
        EditSession session = new(prompts => _model.Embed(prompts), Predictor, Grid());
        for (int i = 0; i < scenes.Count; i++)
        {
            values[i] = new double[FirstEdit + 3 * Injections.Length * PerEdit];
            Array.Fill(values[i], double.NaN);
            (values[i][0], values[i][1], values[i][2]) = (psnr[i], bound[i], all.BackwardsPerImage);
            (EditKind Kind, SceneDescription Truth)[] edits = [.. TruthsOf(scenes[i])];
            if (edits.Length == 0) continue;
            using DisposeScope scope = NewDisposeScope();
            using InversionResult one = new()
            {
                Method = all.Method,
                GuidanceScale = w,
                StartLatents = all.StartLatents.narrow(0, i, 1).clone(),
                Conditional = all.Conditional.Image(i),
                Unconditional = all.Unconditional.Image(i),
                EvaluationsPerImage = all.EvaluationsPerImage,
                Elapsed = all.Elapsed,
                Options = all.Options,
            };
            TokenizedPrompt source = _model.Tokenizer.Tokenize(scenes[i].Caption);
            ImageEdit edit = new()
            {
                Source = source,
                Targets = [.. edits.SelectMany(e => Injections.Select(r => new EditTarget
                {
                    Prompt = _model.Tokenizer.Tokenize(e.Truth.Caption),
                    Edit = new WordSwap(),
                    CrossReplace = CrossReplaceSchedule.Until(r.Cross),
                    SelfReplace = StepWindow.Until(r.Self),
                }))],
            };
            using EditResult result = session.Edit(one, [edit]);
            Tensor edited = _model.Vae.Decode(result.Latents.narrow(0, 1, edit.Targets.Count)).Clamped(-1, 1);
            IReadOnlyList<SceneJudgement> seen = _classifier.Judge(edited);
            for (int e = 0; e < edits.Length; e++)
                for (int r = 0; r < Injections.Length; r++)
                {
                    int row = e * Injections.Length + r;
                    double[] numbers = Compare(renderer, scenes[i], edits[e].Kind, edits[e].Truth, pixels[i], edited[row], seen[row]);
                    numbers.CopyTo(values[i], FirstEdit + ((int)edits[e].Kind * Injections.Length + r) * PerEdit);
                }
        }

        return values;
    }

    /// <summary>Single-object scenes with one thing changed, all else as it was.</summary>
    private static IEnumerable<(EditKind Kind, SceneDescription Truth)> TruthsOf(SceneDescription scene)
    {
        if (scene.Objects.Count != 1) yield break;
        SceneObject first = scene.Objects[0];
        SceneRandom random = new(scene.BackgroundSeed);
        bool Animal(SceneObjectKind kind) => kind <= SceneObjectKind.Pig;
        SceneObjectKind[] kinds = [.. ToyScenes.Kinds.Where(k => k != first.Kind && Animal(k) == Animal(first.Kind) && ToyScenes.IsColourable(k) == ToyScenes.IsColourable(first.Kind))];
        yield return (EditKind.Swap, scene with { Objects = [first with { Kind = random.Pick(kinds) }] });
        if (first.Colour is { } colour) yield return (EditKind.Colour, scene with { Objects = [first with { Colour = random.Pick([.. ToyScenes.Colours.Where(c => c != colour)]) }] });
        SceneBackground[] places = [.. ToyScenes.Backgrounds.Where(b => b != scene.Background && (!scene.Night || ToyScenes.AllowsNight(b)))];
        yield return (EditKind.Background, scene with { Background = random.Pick(places) });
    }

    /// <summary>
    /// 0: judged right (100 or 0); 1: move of the mean colour of the changed region along the true move, as a share of it; 2: PSNR to
    /// the source where nothing should change; 3: PSNR to the truth over the whole picture; 4: PSNR to the truth in the changed region.
    /// </summary>
    private double[] Compare(SceneRenderer renderer, SceneDescription scene, EditKind kind, SceneDescription truth, Tensor source, Tensor edited, SceneJudgement seen)
    {
        int size = _recipe.ImageSize;
        Tensor Mask(SceneDescription s) => tensor(renderer.ObjectMask(s, 0, size), [size, size]).Above(127).to(ScalarType.Float32).to(Device);
        Tensor objects = Mask(scene).maximum(Mask(truth));
        Tensor changed = kind == EditKind.Background ? objects.OneMinus() : objects, kept = changed.OneMinus();
        Tensor target = Pixels(renderer, [truth])[0];
        Tensor MeanColour(Tensor picture) => picture.mul(changed).sum([1, 2]).div(changed.sum());
        double PsnrIn(Tensor a, Tensor b, Tensor mask) => -10 * Math.Log10(Math.Max(1e-10, a.sub(b).Over(2).Squared().mean([0]).mul(mask).sum().div(mask.sum()).item<float>()));
        Tensor trueMove = MeanColour(target).sub(MeanColour(source)), move = MeanColour(edited).sub(MeanColour(source));
        double share = move.mul(trueMove).sum().div(trueMove.Squared().sum()).item<float>();
        SceneObject thing = truth.Objects[0];
        bool right = seen.Object == thing.Kind && seen.Background == truth.Background && (kind != EditKind.Colour || seen.Colour == thing.Colour);
        return [right ? 100 : 0, share, PsnrIn(edited, source, kept), PsnrIn(edited, target, ones_like(changed)), PsnrIn(edited, target, changed)];
    }

    private void Edits(WorkerPool pool, CancellationToken cancel)
    {
        int n = _options.InvertedScenes;
        foreach (double w in EditGuidance)
        {
            double Number(EditKind kind, int injection, int column) => Mean(Invariant($"nulltext/{w}"), n, FirstEdit + ((int)kind * Injections.Length + injection) * PerEdit + column);
            for (int r = 0; r < Injections.Length; r++)
            {
                string at = Invariant($"w={w}, injection {Injections[r].Cross}/{Injections[r].Self}");
                // The bars hold for either guidance scale, at prompt-to-prompt's usual injection; a new background wants to keep less, so it is asked at half of it too.
                bool bar = r == 0;
                Row($"word swap, {at}: new object and old background seen", Number(EditKind.Swap, r, 0), "%", bar ? 70 : null, atLeast: true);
                Row($"word swap, {at}: outside the object, PSNR to the source", Number(EditKind.Swap, r, 2), "dB", null, atLeast: true);
                Row($"word swap, {at}: PSNR to the rendered truth", Number(EditKind.Swap, r, 3), "dB", null, atLeast: true);
                foreach (EditKind kind in (EditKind[])[EditKind.Colour, EditKind.Background])
                {
                    double share = Number(kind, r, 1);
                    bool asked = bar || (kind == EditKind.Background && r == 1);
                    _rows.Add(new EvaluationRow(Invariant($"{kind.ToString().ToLowerInvariant()} edit, {at}: move of the mean colour, share of the true move"), Invariant($"{share:0.00}"), asked ? "0.7 to 1.3" : "", asked ? share is >= 0.7 and <= 1.3 : null));
                    Row(Invariant($"{kind.ToString().ToLowerInvariant()} edit, {at}: seen as asked"), Number(kind, r, 0), "%", null, atLeast: true);
                }
            }

            double place = Number(EditKind.Swap, 0, 2) - Number(EditKind.Swap, 2, 2), whole = Number(EditKind.Swap, 0, 3) - Number(EditKind.Swap, 2, 3);
            Row(Invariant($"word swap, w={w}: how much nearer to the truth 0.8/0.4 is than 0/0, outside the object"), place, "dB", 0.5, atLeast: true);
            Row(Invariant($"word swap, w={w}: the same over the whole picture"), whole, "dB", null, atLeast: true);
        }
    }

    private void Variants(WorkerPool pool, CancellationToken cancel)
    {
        int n = Math.Min(_options.VariantScenes, _options.InvertedScenes);
        if (n == 0) return;
        // No early stop: these get every iteration, whereas per-timestep inversion, measured above, often ends before.
        (string Name, IInversion Method)[] variants =
        [
            ("global", new GlobalNullTextInversion(new GlobalNullTextOptions { InnerSteps = _options.InnerSteps })),
            ("random pivot", new RandomPivotInversion(new NullTextOptions { InnerSteps = _options.InnerSteps, StopEarly = false })),
        ];
        foreach ((string name, IInversion method) in variants)
        {
            PerImage(pool, $"variant/{name}", n, 4, cancel, (renderer, scenes, _) =>
            {
                Tensor pixels = Pixels(renderer, scenes);
                InversionProblem problem = Problem(scenes, _model.Vae.Encode(pixels), 7.5);
                using InversionResult result = method.Invert(problem);
                return [.. Psnr(_model.Vae.Decode(Sampler.Run(problem.Predictor, problem.Grid, result.Plan)), pixels).Select(p => new[] { p })];
            });
        }

        double best = Mean("nulltext/7.5", n), steps = Mean("nulltext/7.5", n, 2);
        foreach ((string name, _) in variants)
        {
            double mean = Mean($"variant/{name}", n);
            _rows.Add(new EvaluationRow(
                Invariant($"{name}, w=7.5, {n} scenes, {_options.Steps * _options.InnerSteps} iterations"),
                Invariant($"{mean:0.00} dB"),
                Invariant($"below per timestep: {best:0.00} dB in {steps:0} iterations"),
                mean < best));
        }
    }

    /// <summary>Measures images in small batches on all workers, keeping every image's numbers.</summary>
    private void PerImage(WorkerPool pool, string part, int count, int together, CancellationToken cancel, Func<SceneRenderer, IReadOnlyList<SceneDescription>, int, double[][]> measure)
    {
        int[] firsts = [.. Enumerable.Range(0, (count + together - 1) / together).Select(j => j * together)
            .Where(f => Enumerable.Range(f, Math.Min(together, count - f)).Any(i => _store.Find(Key(part, i)) is null))];
        if (firsts.Length == 0) return;
        _options.Progress?.Report($"{part}: {count} scenes");
        VaeTrainer.WithRenderers(pool, renderers => pool.Run(firsts.Length, (worker, job) =>
        {
            cancel.ThrowIfCancellationRequested();
            using DisposeScope scope = NewDisposeScope();
            int first = firsts[job];
            SceneDescription[] scenes = [.. Enumerable.Range(first, Math.Min(together, count - first)).Select(i => ToyScenes.Sample(i, SceneSplit.HeldOut, _recipe.Scenes))];
            double[][] values;
            using (no_grad()) values = measure(renderers[worker], scenes, first);
            for (int i = 0; i < values.Length; i++) _store.Add(Key(part, first + i), values[i]);
        }));
    }

    private static string Key(string part, int image) => $"{part}/{image:D3}";

    private double Mean(string part, int count, int column = 0) =>
        Enumerable.Range(0, count).Select(i => _store.Find(Key(part, i))![column]).Where(x => !double.IsNaN(x)).DefaultIfEmpty(double.NaN).Average();

    private void Row(string measure, double value, string unit, double? bar, bool atLeast)
    {
        bool? met = bar is { } b ? (atLeast ? value >= b : value <= b) : null;
        string Text(double x) => Invariant($"{x:0.##}{(unit.Length > 0 ? " " : "")}{unit}");
        _rows.Add(new EvaluationRow(measure, Text(value), bar is { } limit ? $"{(atLeast ? "at least" : "at most")} {Text(limit)}" : "", met));
        _options.Progress?.Report($"{measure}: {Text(value)}");
    }

    private Tensor Pixels(SceneRenderer renderer, IReadOnlyList<SceneDescription> scenes) => SceneBatch.Pixels(renderer, scenes, _recipe.ImageSize).to(Device);

    private long[] LatentShape(long batch) => [batch, _model.UNet.Config.InChannels, _model.UNet.Config.SampleSize, _model.UNet.Config.SampleSize];

    private Tensor Embed(IEnumerable<string> prompts) => _model.Embed([.. prompts]);

    private INoisePredictor Predictor(IAttentionProcessor? attention = null) => _model.Predictor(attention ?? ExplicitAttention.Instance);

    private TimestepGrid Grid() => _model.Grid(_options.Steps);

    private InversionProblem Problem(IReadOnlyList<SceneDescription> scenes, Tensor latents, double w) => new()
    {
        Predictor = Predictor(),
        Grid = Grid(),
        Latents = latents,
        Conditional = Embed(scenes.Select(s => s.Caption)),
        Unconditional = Embed([""]),
        GuidanceScale = w,
    };

    /// <summary>Per picture, after rounding to bytes.</summary>
    private static double[] Psnr(Tensor decoded, Tensor pixels) => Metrics.Psnr.PerImage(SceneBatch.ToPixels(SceneBatch.ToBytes(decoded)), pixels, peak: 2);

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
