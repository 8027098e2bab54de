using System.Globalization;
using System.Text;
using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Scenes;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
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
    private readonly AutoencoderKL _vae;
    private readonly ClipTextModel _text;
    private readonly UNet2DConditionModel _unet;
    private readonly ITextTokenizer _tokenizer;
    private readonly SceneClassifier _classifier;
    private readonly TrainingRecipe _recipe;
    private readonly EvaluationOptions _options;
    private readonly ResultStore _store;
    private readonly List<EvaluationRow> _rows = [];

    internal ModelEvaluation(AutoencoderKL vae, ClipTextModel text, UNet2DConditionModel unet, ITextTokenizer tokenizer, SceneClassifier classifier, TrainingRecipe recipe, string modelKey, EvaluationOptions options)
    {
        _vae = vae;
        _text = text;
        _unet = unet;
        _tokenizer = tokenizer;
        _classifier = classifier;
        _recipe = recipe;
        _options = options;
        Directory.CreateDirectory(options.Folder);
        _store = new ResultStore(Path.Combine(options.Folder, "evaluation.json"), modelKey);
    }

    private Device Device => _vae.Device;

    /// <summary>Runs everything that the folder does not hold already.</summary>
    /// <param name="cancel">Stops after the image under way; a later run goes on there.</param>
    /// <returns>All rows, in order.</returns>
    public IReadOnlyList<EvaluationRow> Run(CancellationToken cancel = default)
    {
        using WorkerPool pool = new(_options.Workers);
        _rows.Clear();
        RoundTrips(pool, cancel);
        Classifier(pool);
        Samples(pool, cancel);
        Reconstruction(pool, cancel);
        NullText(pool, cancel);
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
        PerImage(pool, "vae", _options.Scenes, 4, cancel, (renderer, scenes, _) => Psnr(_vae.Decode(_vae.Encode(Pixels(renderer, scenes))), Pixels(renderer, scenes)).Select(p => new[] { p }).ToArray());
        Row("autoencoder round trip, held-out scenes", Mean("vae", _options.Scenes), "dB", 30, atLeast: true);
    }

    private void Classifier(WorkerPool pool) => VaeTrainer.WithRenderers(pool, renderers =>
    {
        foreach ((string name, AutoencoderKL? through, int count, double bar) in new[] { ("held-out scenes", null, 1000, 97.0), ("their round trips", _vae, 512, 95.0) })
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
                Tensor latents = Sampler.Run(Predictor(ExplicitAttention.Instance), Grid(), new SamplingPlan { StartLatents = start, Conditional = conditional, Unconditional = unconditional, GuidanceScale = w });
                IReadOnlyList<SceneJudgement> seen = _classifier.Judge(_vae.Decode(latents).clamp(-1, 1));
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
        StringBuilder same = new(), plain = new();
        foreach (double w in _options.Guidance)
        {
            string part = Invariant($"ddim/{w}");
            PerImage(pool, part, n, 4, cancel, (renderer, scenes, _) =>
            {
                Tensor pixels = Pixels(renderer, scenes);
                InversionProblem problem = Problem(scenes, _vae.Encode(pixels), w);
                double[] Of(InversionResult result)
                {
                    using (result) return Psnr(_vae.Decode(Sampler.Run(problem.Predictor, problem.Grid, result.Plan)), pixels);
                }

                double[] both = Of(new DdimInversion(new DdimInversionOptions { GuidanceScale = w }).Invert(problem));
                double[] one = w == 1 ? both : Of(new DdimInversion().Invert(problem));
                return [.. both.Select((b, i) => new[] { b, one[i] })];
            });
            double mean = Mean(part, n);
            falls &= mean < previous;
            previous = mean;
            same.Append(Invariant($"{(same.Length > 0 ? ", " : "")}w={w}: {mean:F2}"));
            plain.Append(Invariant($"{(plain.Length > 0 ? ", " : "")}w={w}: {Mean(part, n, 1):F2}"));
        }

        _rows.Add(new EvaluationRow($"DDIM inverted and sampled at w, {n} scenes, dB", same.ToString(), "falls with w", falls));
        _rows.Add(new EvaluationRow("DDIM inverted at 1, sampled at w, dB", plain.ToString(), "", null));
    }

    private void NullText(WorkerPool pool, CancellationToken cancel)
    {
        int n = _options.InvertedScenes;
        PerImage(pool, "nulltext/7.5", n, 1, cancel, (renderer, scenes, _) =>
        {
            Tensor pixels = Pixels(renderer, scenes);
            Tensor latents = _vae.Encode(pixels);
            InversionProblem problem = Problem(scenes, latents, 7.5);
            using InversionResult result = new NullTextInversion(new NullTextOptions { InnerSteps = _options.InnerSteps }).Invert(problem);
            double psnr = Psnr(_vae.Decode(Sampler.Run(problem.Predictor, problem.Grid, result.Plan)), pixels)[0];
            double bound = Psnr(_vae.Decode(latents), pixels)[0];
            return [[psnr, bound, result.Elapsed.TotalSeconds, result.BackwardsPerImage]];
        });
        double mean = Mean("nulltext/7.5", n), limit = Mean("nulltext/7.5", n, 1);
        Row($"null-text at w=7.5, {n} scenes, {_options.Steps}x{_options.InnerSteps}", mean, "dB", null, atLeast: true);
        Row("its distance to the autoencoder's bound", limit - mean, "dB", 0.5, atLeast: false);
        Row("its lead over plain DDIM at w=7.5", mean - Mean("ddim/7.5", n, 1), "dB", 5, atLeast: true);
        Row("its time per image, one thread", Mean("nulltext/7.5", n, 2), "s", 30, atLeast: false);
        Row("its gradient steps per image", Mean("nulltext/7.5", n, 3), "", null, atLeast: true);
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

    private long[] LatentShape(long batch) => [batch, _unet.Config.InChannels, _unet.Config.SampleSize, _unet.Config.SampleSize];

    private Tensor Embed(IEnumerable<string> prompts)
    {
        TokenizedPrompt[] tokens = [.. prompts.Select(_tokenizer.Tokenize)];
        return _text.Forward(TokenizedPrompt.Stack(tokens, Device));
    }

    private INoisePredictor Predictor(IAttentionProcessor attention) => new UNetTrainer.Predictor(_unet, ScalarType.Float32, attention);

    private TimestepGrid Grid() => new(NoiseSchedule.StableDiffusion, _options.Steps);

    private InversionProblem Problem(IReadOnlyList<SceneDescription> scenes, Tensor latents, double w) => new()
    {
        Predictor = Predictor(ExplicitAttention.Instance),
        Grid = Grid(),
        Latents = latents,
        Conditional = Embed(scenes.Select(s => s.Caption)),
        Unconditional = Embed([""]),
        GuidanceScale = w,
    };

    /// <summary>Per picture, after rounding to bytes.</summary>
    private static double[] Psnr(Tensor decoded, Tensor pixels)
    {
        Tensor back = SceneBatch.ToPixels(SceneBatch.ToBytes(decoded));
        return [.. back.sub(pixels).div(2).square().mean([1, 2, 3]).log10().mul(-10).data<float>().ToArray().Select(x => (double)x)];
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
