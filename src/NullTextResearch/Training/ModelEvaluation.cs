using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using NullTextResearch.Perception;
using NullTextResearch.Scenes;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>
/// Measures a toy-scene model on held-out scenes: autoencoder, classifier, samples, reconstruction, null-text inversion, and edits against the rendered truth.
/// </summary>
public sealed class ModelEvaluation
{
    private readonly StableDiffusion _model;
    private readonly SceneClassifier _classifier;
    private readonly TrainingRecipe _recipe;
    private readonly EvaluationOptions _options;
    private readonly ResultStore _store;
    private readonly List<EvaluationRow> _rows = [];

    /// <summary>Starts an evaluation, or resumes the one in the folder if it belongs to the same model.</summary>
    /// <param name="model">Model loaded from a folder, in float32; borrowed.</param>
    /// <param name="classifier">Classifier that judges pictures; borrowed.</param>
    /// <param name="options">How much to measure.</param>
    public ModelEvaluation(StableDiffusion model, SceneClassifier classifier, EvaluationOptions options)
    {
        if (model.Folder is not { } folder)
            throw new ArgumentException("Only a model loaded from a folder can be evaluated: its files identify stored results.", nameof(model));
        _model = model;
        _classifier = classifier;
        _recipe = new TrainingRecipe { ImageSize = model.ImageSize, Domain = classifier.Domain };
        _options = options;
        Directory.CreateDirectory(options.Folder);
        using FileStream weights = File.OpenRead(Path.Combine(folder, "unet", "diffusion_pytorch_model.safetensors"));
        using FileStream decoder = File.OpenRead(Path.Combine(folder, "vae", "diffusion_pytorch_model.safetensors"));
        string key =
            $"{Convert.ToHexStringLower(SHA256.HashData(weights))[..16]}-{Convert.ToHexStringLower(SHA256.HashData(decoder))[..16]}-{options.Steps}"
            + $"x{options.InnerSteps}";
        _store = new ResultStore(Path.Combine(options.Folder, "evaluation.json"), key);
    }

    private Device Device => _model.Device;

    /// <summary>Measures everything that is not yet stored in the folder.</summary>
    /// <param name="cancel">Stops after the current image; a later run resumes there.</param>
    /// <returns>All rows, in order.</returns>
    public IReadOnlyList<EvaluationRow> Run(CancellationToken cancel = default)
    {
        using WorkerPool pool = new(_options.Workers);
        _rows.Clear();
        if (_store.Damage is { } damage)
            _options.Log?.Invoke(damage);
        RoundTrips(pool, cancel);
        Classifier(pool);
        Clip(pool);
        Samples(pool, cancel);
        DrawPairs(pool);
        Reconstruction(pool, cancel);
        NullText(pool, cancel);
        Edits(pool, cancel);
        Reweighting(pool, cancel);
        Variants(pool, cancel);
        return _rows;
    }

    /// <summary>The rows as a Markdown table.</summary>
    public static string ToMarkdown(IEnumerable<EvaluationRow> rows)
    {
        StringBuilder text = new("| measure | value | bar | met |\n|---|---|---|---|\n");
        foreach (EvaluationRow row in rows)
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {row.Measure} | {row.Value} | {row.Bar} | {row.Met switch { true => "yes", false => "**no**", null => "" }} |\n"
            );
        return text.ToString();
    }

    private void RoundTrips(WorkerPool pool, CancellationToken cancel)
    {
        PerImage(
            pool,
            "vae",
            _options.Scenes,
            4,
            cancel,
            (renderer, scenes, _) =>
                Psnr(_model.Vae.Decode(_model.Vae.Encode(Pixels(renderer, scenes))), Pixels(renderer, scenes)).Select(p => new[] { p }).ToArray()
        );
        Row("autoencoder round trip, held-out scenes", Mean("vae", _options.Scenes), "dB", 30, atLeast: true);
    }

    private void Classifier(WorkerPool pool) =>
        SceneTraining.WithRenderers(
            pool,
            renderers =>
            {
                foreach (
                    (string name, Vae.AutoencoderKL? through, int count, double bar) in new[]
                    {
                        ("held-out scenes", null, 1000, 97.0),
                        ("their round trips", _model.Vae, 512, 95.0),
                    }
                )
                {
                    string key = $"classifier/{name}";
                    if (_store.Find(key) is not { } found)
                    {
                        ClassifierAccuracy accuracy = ClassifierTrainer.Measure(_classifier, through, _recipe, Device, pool, renderers, count);
                        _store.Add(
                            key,
                            found = [100 * accuracy.Objects, 100 * accuracy.Backgrounds, 100 * accuracy.Colours, 100 * accuracy.Air, 100 * accuracy.Sides]
                        );
                    }

                    Row($"classifier on {count} {name}: objects", found[0], "%", bar, atLeast: true);
                    Row($"classifier on {count} {name}: background", found[1], "%", bar, atLeast: true);
                    Row($"classifier on {count} {name}: colour", found[2], "%", null, atLeast: true);
                    if (_recipe.Domain.Version == 1)
                        continue;
                    Row($"classifier on {count} {name}: night, weather and style", found[3], "%", null, atLeast: true);
                    Row($"classifier on {count} {name}: which of two objects is left", found[4], "%", null, atLeast: true);
                }
            }
        );

    private void Clip(WorkerPool pool)
    {
        string folder = Path.Combine(_model.Folder!, "clip");
        if (!Directory.Exists(folder))
            return;
        const string Part = "clip/retrieval";
        const int Groups = 16;
        if (_store.Find(Part) is not { } found)
        {
            using ClipSimilarity clip = ClipSimilarity.Load(folder, Device);
            double share = 0;
            SceneTraining.WithRenderers(
                pool,
                renderers => share = ClipTrainer.Retrieval(clip.Model, ClipTokenizer.Load(folder), _recipe, Device, pool, renderers, Groups)
            );
            _store.Add(Part, found = [100 * share]);
        }

        Row(
            $"CLIP: a held-out picture's own caption nearest among {ClipTrainer.Choices}, {Groups * ClipTrainer.Choices} pictures",
            found[0],
            "%",
            90,
            atLeast: true
        );
    }

    private void Samples(WorkerPool pool, CancellationToken cancel)
    {
        bool rich = _recipe.Domain.Version > 1;
        foreach (double w in (double[])[7.5, 4, 2])
        {
            string part = Invariant($"samples/{w}"),
                at = Invariant($"samples at w={w}");
            PerImage(pool, part, _options.Scenes, 4, cancel, (_, scenes, first) => Sample(scenes, [.. scenes.Select(s => s.Caption)], w, first));
            bool bar = w == 7.5;
            Row($"{at}, {_options.Scenes} held-out captions: objects", Mean(part, _options.Scenes), "%", bar && !rich ? 80 : null, atLeast: true);
            Row($"{at}: object, captions with one object", Mean(part, _options.Scenes, 4), "%", bar && rich ? 97 : null, atLeast: true);
            if (rich)
            {
                Row($"{at}: both objects in their colours, captions with two", Mean(part, _options.Scenes, 5), "%", bar ? 90 : null, atLeast: true);
                Row($"{at}: night, weather and style", Mean(part, _options.Scenes, 6), "%", null, atLeast: true);
            }

            Row(
                $"{at}: background",
                Mean(part, _options.Scenes, 1),
                "%",
                bar
                    ? rich
                        ? 98
                        : 90
                    : null,
                atLeast: true
            );
            Row($"{at}: colour", Mean(part, _options.Scenes, 3), "%", null, atLeast: true);
            Row($"{at}: standard deviation of latents (real 1.00)", Mean(part, _options.Scenes, 2), "", null, atLeast: true);
        }

        if (!rich)
            return;
        const string Free = "samples/free",
            Small = "samples/small";
        PerImage(
            pool,
            Free,
            _options.Scenes,
            4,
            cancel,
            (_, scenes, first) => Sample(scenes, [.. scenes.Select((s, i) => CaptionGrammar.DescribeFreely(s, new SceneRandom(first + i)))], 7.5, first)
        );
        Row($"samples at w=7.5, captions in the free form: objects", Mean(Free, _options.Scenes), "%", null, atLeast: true);
        Row($"samples at w=7.5, captions in the free form: background", Mean(Free, _options.Scenes, 1), "%", null, atLeast: true);
        int few = Math.Min(32, _options.Scenes);
        PerImage(pool, Small, few, 4, cancel, (_, scenes, first) => Sample(scenes, [.. scenes.Select(s => s.Caption)], 7.5, first), SmallScenes(few));
        Row($"samples at w=7.5: objects under 6 % of the picture, {few} captions", Mean(Small, few), "%", 95, atLeast: true);
    }

    /// <summary>
    /// Writes samples.png: the first sixteen held-out scenes as rendered (first and third row), each above the sample of its caption at w = 7.5 that was
    /// judged.
    /// </summary>
    private void DrawPairs(WorkerPool pool)
    {
        const int Columns = 8,
            Together = 4;
        string path = Path.Combine(_options.Folder, "samples.png");
        int count = Math.Min(2 * Columns, _options.Scenes / Together * Together);
        if (count == 0 || File.Exists(path))
            return;
        byte[][] rendered = new byte[count][],
            sampled = new byte[count][];
        SceneTraining.WithRenderers(
            pool,
            renderers =>
                pool.Run(
                    count / Together,
                    (worker, job) =>
                    {
                        using IDisposable grad = no_grad();
                        using DisposeScope scope = NewDisposeScope();
                        int first = job * Together;
                        SceneDescription[] scenes = [.. Enumerable.Range(first, Together).Select(i => ToyScenes.Sample(i, SceneSplit.HeldOut, _recipe.Scenes))];
                        Tensor truth = SceneBatch.ToBytes(Pixels(renderers[worker], scenes)).cpu(),
                            result = SceneBatch.ToBytes(_model.Vae.Decode(SampleLatents([.. scenes.Select(s => s.Caption)], 7.5, first))).cpu();
                        for (int i = 0; i < Together; i++)
                        {
                            rendered[first + i] = truth[i].data<byte>().ToArray();
                            sampled[first + i] = result[i].data<byte>().ToArray();
                        }
                    }
                )
        );
        PictureGrid.Save(
            path,
            [.. rendered.Chunk(Columns).Zip(sampled.Chunk(Columns)).SelectMany(rows => rows.First.Concat(rows.Second))],
            _recipe.ImageSize,
            Columns
        );
    }

    /// <summary>
    /// Samples captions and classifies the results; 100 means correct and 0 wrong. 0: objects; 1: background; 2: standard deviation of the latents;
    /// 3: colour and 4: object, for scenes with one; 5: objects and colours, for scenes with two; 6: night, weather and style.
    /// </summary>
    private double[][] Sample(IReadOnlyList<SceneDescription> scenes, string[] captions, double w, int first)
    {
        Tensor latents = SampleLatents(captions, w, first);
        IReadOnlyList<SceneJudgement> seen = _classifier.Judge(_model.Vae.Decode(latents).Clamped(-1, 1));
        float[] deviations = latents.std([1, 2, 3]).data<float>().ToArray();
        static double Percent(bool right) => right ? 100 : 0;
        return
        [
            .. scenes
                .Zip(
                    seen,
                    (s, judged) =>
                        new[]
                        {
                            Percent(judged.ObjectsAgree(s)),
                            Percent(judged.Background == s.Background),
                            double.NaN,
                            s.Objects.Count == 1 && s.Objects[0].Colour is not null ? Percent(judged.ColoursAgree(s)) : double.NaN,
                            s.Objects.Count == 1 ? Percent(judged.ObjectsAgree(s)) : double.NaN,
                            s.Objects.Count == 2 ? Percent(judged.ObjectsAgree(s) && judged.ColoursAgree(s)) : double.NaN,
                            Percent(judged.AirAgrees(s)),
                        }
                )
                .Select(
                    (numbers, i) =>
                    {
                        numbers[2] = deviations[i];
                        return numbers;
                    }
                ),
        ];
    }

    /// <summary>Samples the captions from the noise of seeds 5000 + <paramref name="first"/>, +1, ...; owned by the caller's dispose scope.</summary>
    private Tensor SampleLatents(string[] captions, double w, int first)
    {
        using StepEmbeddings conditional = StepEmbeddings.Constant(Embed(captions)),
            unconditional = StepEmbeddings.Constant(Embed([""]));
        Tensor start = cat([.. captions.Select((_, i) => Seeds.Normal(5_000 + first + i, LatentShape(1), empty([1], ScalarType.Float32, Device)))]);
        return Sampler.Run(
            Predictor(),
            Grid(),
            new SamplingPlan
            {
                StartLatents = start,
                Conditional = conditional,
                Unconditional = unconditional,
                GuidanceScale = w,
            }
        );
    }

    /// <summary>Held-out scenes whose only object covers less than 6 % of the picture.</summary>
    private SceneDescription[] SmallScenes(int count)
    {
        using SceneRenderer renderer = new();
        SceneSamplerOptions small = _recipe.Scenes with { SecondObject = 0, Small = 1, Big = 0 };
        return
        [
            .. Enumerable
                .Range(0, 100_000)
                .Select(i => ToyScenes.Sample(200_000 + i, SceneSplit.HeldOut, small))
                .Where(s => renderer.ObjectMask(s, 0, _recipe.ImageSize).Average(m => m / 255.0) < 0.06)
                .Take(count),
        ];
    }

    private int VariantScenes => Math.Min(_options.VariantScenes, _options.InvertedScenes);

    private void Reconstruction(WorkerPool pool, CancellationToken cancel)
    {
        int n = VariantScenes;
        if (n == 0)
            return;
        double previous = double.PositiveInfinity;
        bool falls = true;
        StringBuilder same = new();
        foreach (double w in _options.Guidance)
        {
            string part = Invariant($"ddim/{w}");
            PerImage(
                pool,
                part,
                n,
                4,
                cancel,
                (renderer, scenes, _) =>
                {
                    Tensor pixels = Pixels(renderer, scenes);
                    InversionProblem problem = Problem(scenes, _model.Vae.Encode(pixels), w);
                    double[] Of(InversionResult result)
                    {
                        using (result)
                            return Psnr(_model.Vae.Decode(Sampler.Run(problem.Predictor, problem.Grid, result.Plan)), pixels);
                    }

                    double[] both = Of(new DdimInversion(new DdimInversionOptions { GuidanceScale = w }).Invert(problem));
                    // Plain DDIM, inverted at 1, is the baseline of null-text inversion at the highest scale only.
                    double[] one =
                        w == 1 ? both
                        : w == _options.Guidance[^1] ? Of(new DdimInversion().Invert(problem))
                        : [.. both.Select(_ => double.NaN)];
                    return [.. both.Select((b, i) => new[] { b, one[i] })];
                }
            );
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
        int n = _options.InvertedScenes,
            timed = Math.Min(4, n);
        if (n == 0)
            return;
        foreach (double w in EditGuidance)
            PerImage(pool, NullTextPart(w), n, 4, cancel, (renderer, scenes, _) => InvertAndEdit(renderer, scenes, w));
        // One image on one thread with the other workers idle: the time that a user waits.
        using (WorkerPool one = new(1))
            PerImage(
                one,
                "nulltext/one",
                timed,
                1,
                cancel,
                (renderer, scenes, _) =>
                {
                    using InversionResult result = new NullTextInversion(NullTextOptions).Invert(
                        Problem(scenes, _model.Vae.Encode(Pixels(renderer, scenes)), 7.5)
                    );
                    return
                    [
                        [result.Elapsed.TotalSeconds, result.BackwardsPerImage],
                    ];
                }
            );
        string usual = NullTextPart(7.5);
        int both = VariantScenes;
        double mean = Mean(usual, n),
            limit = Mean(usual, n, 1);
        Row($"null-text at w=7.5, {n} scenes, {_options.Steps}x{_options.InnerSteps}", mean, "dB", null, atLeast: true);
        Row("its distance to the autoencoder's bound", limit - mean, "dB", 0.5, atLeast: false);
        if (both > 0)
            Row("its lead over plain DDIM (inverted at 1) at w=7.5", Mean(usual, both) - Mean("ddim/7.5", both, 1), "dB", 5, atLeast: true);
        Row($"its time for one image, one thread, {timed} images", Mean("nulltext/one", timed), "s", 30, atLeast: false);
        Row("its gradient steps per image", Mean(usual, n, 2), "", null, atLeast: true);
        foreach (double w in EditGuidance.Where(w => w != 7.5))
        {
            string part = NullTextPart(w);
            Row(Invariant($"null-text at w={w}: distance to the bound"), Mean(part, n, 1) - Mean(part, n), "dB", null, atLeast: false);
        }
    }

    // Columns of "nulltext/w": PSNR, bound, gradient steps, then per kind of edit and injection the numbers of Compare.
    private const int FirstEdit = 3,
        PerEdit = 6;
    private double[] EditGuidance => _options.UsualEditsOnly ? [7.5] : [7.5, 4];
    private (double Cross, double Self)[] Injections => _options.UsualEditsOnly ? [(0.8, 0.4)] : [(0.8, 0.4), (0.4, 0.2), (0, 0)];

    /// <summary>Stored results with fewer injections have fewer columns, so they have a name of their own.</summary>
    private string NullTextPart(double w) => Invariant($"nulltext/{w}{(_options.UsualEditsOnly ? "/usual" : "")}");

    private NullTextOptions NullTextOptions => new() { InnerSteps = _options.InnerSteps };

    private enum EditKind
    {
        Swap,
        Colour,
        Background,
        Add,
        Remove,
        Night,
        Weather,
        Style,
    }

    private static readonly EditKind[] Kinds = Enum.GetValues<EditKind>();

    private double[][] InvertAndEdit(SceneRenderer renderer, IReadOnlyList<SceneDescription> scenes, double w)
    {
        Tensor pixels = Pixels(renderer, scenes);
        Tensor latents = _model.Vae.Encode(pixels);
        InversionProblem problem = Problem(scenes, latents, w);
        using InversionResult all = new NullTextInversion(NullTextOptions).Invert(problem);
        double[] psnr = Psnr(_model.Vae.Decode(Sampler.Run(problem.Predictor, problem.Grid, all.Plan)), pixels),
            bound = Psnr(_model.Vae.Decode(latents), pixels);
        double[][] values = new double[scenes.Count][];
        EditSession session = new(prompts => _model.Embed(prompts), Predictor, Grid());
        for (int i = 0; i < scenes.Count; i++)
        {
            values[i] = new double[FirstEdit + Kinds.Length * Injections.Length * PerEdit];
            Array.Fill(values[i], double.NaN);
            (values[i][0], values[i][1], values[i][2]) = (psnr[i], bound[i], all.BackwardsPerImage);
            (EditKind Kind, SceneEditPlan Plan)[] edits = [.. EditsOf(scenes[i]).Select(e => (e.Kind, e.Edit.Plan(scenes[i])))];
            if (edits.Length == 0)
                continue;
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
                Targets =
                [
                    .. edits
                        .Select(e => _model.Tokenizer.Tokenize(e.Plan.TargetCaption))
                        .SelectMany(prompt =>
                            Injections.Select(r => new EditTarget
                            {
                                Prompt = prompt,
                                Edit = PromptEdit.Between(source, prompt),
                                CrossReplace = CrossReplaceSchedule.Until(r.Cross),
                                SelfReplace = StepWindow.Until(r.Self),
                            })
                        ),
                ],
            };
            using EditResult result = session.Edit(one, [edit]);
            Tensor edited = _model.Vae.Decode(result.Latents.narrow(0, 1, edit.Targets.Count)).Clamped(-1, 1);
            IReadOnlyList<SceneJudgement> seen = _classifier.Judge(edited);
            for (int e = 0; e < edits.Length; e++)
            for (int r = 0; r < Injections.Length; r++)
            {
                int row = e * Injections.Length + r;
                double[] numbers = Compare(renderer, edits[e].Plan, pixels[i], edited[row], seen[row]);
                numbers.CopyTo(values[i], FirstEdit + ((int)edits[e].Kind * Injections.Length + r) * PerEdit);
            }
        }

        return values;
    }

    /// <summary>One edit of every kind that makes sense for a scene, always the same ones; rain, fog and drawings only if the model knows them.</summary>
    private IEnumerable<(EditKind Kind, SceneEdit Edit)> EditsOf(SceneDescription scene)
    {
        SceneRandom random = new(scene.BackgroundSeed);
        SceneObject first = scene.Objects[0];
        int coloured = scene.Objects.Index().Where(o => o.Item.Colour is not null).Select(o => (int?)o.Index).FirstOrDefault() ?? 0;
        // Animals become animals, and coloured objects keep their colour.
        (EditKind, IEnumerable<SceneEdit>)[] all =
        [
            (EditKind.Swap, ToyScenes.Kinds.Where(k => SuggestedEdits.SameSort(k, first.Kind)).Select(k => new ObjectSwap(0, k))),
            (EditKind.Colour, ToyScenes.Colours.Select(c => new ColourChange(coloured, c))),
            (EditKind.Background, ToyScenes.Backgrounds.Select(b => new BackgroundChange(b))),
            (EditKind.Add, ToyScenes.Kinds.Where(k => !ToyScenes.IsColourable(k)).Select(k => new AddObject(k))),
            (EditKind.Remove, [new RemoveObject(1)]),
            (EditKind.Night, scene.Style == SceneStyle.Painted ? [new NightFall()] : []),
            (
                EditKind.Weather,
                _recipe.Scenes.Weather > 0 && scene.Weather == SceneWeather.Clear
                    ? [new WeatherChange(SceneWeather.Rain), new WeatherChange(SceneWeather.Fog)]
                    : []
            ),
            (EditKind.Style, _recipe.Scenes.Drawing > 0 ? [new StyleChange(SceneStyle.Drawing)] : []),
        ];
        foreach ((EditKind kind, IEnumerable<SceneEdit> edits) in all)
        {
            SceneEdit[] possible = [.. edits.Where(e => e.WhyNot(scene) is null)];
            if (possible.Length > 0)
                yield return (kind, random.Pick(possible));
        }
    }

    /// <summary>
    /// 0: classified as correct (100 or 0); 1: shift of the mean colour of the changed region along the true shift, as a share of it; 2: PSNR to the source
    /// where nothing should change; 3: PSNR to the truth over the whole picture; 4: PSNR to the truth in the changed region; 5: classified as correct and
    /// closer to the truth than the source is (100 or 0).
    /// </summary>
    private double[] Compare(SceneRenderer renderer, SceneEditPlan plan, Tensor source, Tensor edited, SceneJudgement seen)
    {
        Tensor changed = Changed(renderer, plan),
            kept = changed.OneMinus();
        Tensor target = Pixels(renderer, [plan.Target])[0];
        Tensor MeanColour(Tensor picture) => picture.mul(changed).sum([1, 2]).div(changed.sum());
        Tensor trueMove = MeanColour(target).sub(MeanColour(source)),
            move = MeanColour(edited).sub(MeanColour(source)),
            whole = ones_like(changed);
        double share = move.mul(trueMove).sum().div(trueMove.Squared().sum()).item<float>(),
            near = SceneEditOutcome.PsnrIn(edited, target, whole);
        bool right = SceneEditOutcome.SeenAsAsked(plan, seen, _recipe.Domain);
        return
        [
            right ? 100 : 0,
            share,
            plan.Edit.IsEverywhere ? double.NaN : SceneEditOutcome.PsnrIn(edited, source, kept),
            near,
            SceneEditOutcome.PsnrIn(edited, target, changed),
            SceneEditOutcome.Succeeds(right, near, SceneEditOutcome.PsnrIn(source, target, whole)) ? 100 : 0,
        ];
    }

    /// <summary>
    /// Where an edit should be visible, [H, W], 1 and 0: for an object edit, the pixels that its object covers by at least half before or after it; for a
    /// background edit, everything except the objects; otherwise everything.
    /// </summary>
    private Tensor Changed(SceneRenderer renderer, SceneEditPlan plan)
    {
        int size = _recipe.ImageSize;
        Tensor Mask(SceneDescription scene, int index) =>
            tensor(renderer.ObjectMask(scene, index, size), [size, size]).Above(127).to(ScalarType.Float32).to(Device);
        Tensor none = zeros([size, size], ScalarType.Float32, Device);
        if (plan.Edit.IsEverywhere)
            return none.OneMinus();
        if (plan.Edit.ObjectIndex is null)
            return plan.Source.Objects.Select((_, i) => Mask(plan.Source, i)).Aggregate((a, b) => a.maximum(b)).OneMinus();
        Tensor before = plan.Edit.IndexBefore is { } b ? Mask(plan.Source, b) : none;
        return plan.Edit.IndexAfter is { } a ? before.maximum(Mask(plan.Target, a)) : before;
    }

    private static readonly double[] Factors = [-2, 0, 1, 2, 4, 8];

    /// <summary>Measures the classifier's probability of night, rain or fog as the weight of its word rises.</summary>
    private void Reweighting(WorkerPool pool, CancellationToken cancel)
    {
        if (_recipe.Domain.Version == 1)
            return;
        const string Part = "reweight/7.5";
        int n = Math.Min(16, _options.InvertedScenes);
        if (n == 0)
            return;
        SceneDescription[] scenes =
        [
            .. Enumerable
                .Range(0, 100_000)
                .Select(i => ToyScenes.Sample(300_000 + i, SceneSplit.HeldOut, _recipe.Scenes))
                .Where(s => s.Night || s.Weather != SceneWeather.Clear)
                .Take(n),
        ];
        PerImage(
            pool,
            Part,
            n,
            4,
            cancel,
            (renderer, some, _) =>
                [
                    .. some.Select(scene =>
                    {
                        using DisposeScope scope = NewDisposeScope();
                        InversionProblem problem = Problem([scene], _model.Vae.Encode(Pixels(renderer, [scene])), 7.5);
                        using InversionResult inversion = new NullTextInversion(NullTextOptions).Invert(problem);
                        TokenizedPrompt prompt = _model.Tokenizer.Tokenize(scene.Caption);
                        string word = scene.Night ? "night" : scene.Weather.ToString().ToLowerInvariant();
                        ImageEdit edit = new()
                        {
                            Source = prompt,
                            Targets =
                            [
                                .. Factors.Select(f => new EditTarget
                                {
                                    Prompt = prompt,
                                    Edit = ReWeight.Of([word], [f]),
                                    CrossReplace = CrossReplaceSchedule.Until(0.8),
                                    SelfReplace = StepWindow.Until(0.4),
                                }),
                            ],
                        };
                        using EditResult result = new EditSession(prompts => _model.Embed(prompts), Predictor, Grid()).Edit(inversion, [edit]);
                        IReadOnlyList<SceneJudgement> seen = _classifier.Judge(_model.Vae.Decode(result.Latents.narrow(0, 1, Factors.Length)).Clamped(-1, 1));
                        return seen.Select(s => 100.0 * (scene.Night ? s.Nights[1] : s.Weathers[(int)scene.Weather])).ToArray();
                    }),
                ],
            scenes
        );
        double[] beliefs = [.. Factors.Select((_, f) => Mean(Part, n, f))];
        bool rises = beliefs.Zip(beliefs.Skip(1)).All(p => p.Second >= p.First);
        _rows.Add(
            new EvaluationRow(
                $"re-weighting night, rain or fog, {n} scenes: belief in the word, %",
                string.Join(", ", Factors.Zip(beliefs, (f, b) => Invariant($"x {f}: {b:0}"))),
                "rises with the factor",
                rises
            )
        );
    }

    private void Edits(WorkerPool pool, CancellationToken cancel)
    {
        int n = _options.InvertedScenes;
        if (n == 0)
            return;
        foreach (double w in EditGuidance)
        {
            double Number(EditKind kind, int injection, int column) =>
                Mean(NullTextPart(w), n, FirstEdit + ((int)kind * Injections.Length + injection) * PerEdit + column);
            for (int r = 0; r < Injections.Length; r++)
            {
                string at = Invariant($"w={w}, injection {Injections[r].Cross}/{Injections[r].Self}");
                // The targets apply to both guidance scales, at prompt-to-prompt's usual injection. A new background should keep less, so it is also tested at
                // half of that.
                bool bar = r == 0;
                Row($"word swap, {at}: new object and old background seen", Number(EditKind.Swap, r, 0), "%", bar ? 70 : null, atLeast: true);
                Row(
                    $"word swap, {at}: outside the object, PSNR to the source",
                    Number(EditKind.Swap, r, 2),
                    "dB",
                    bar && _recipe.Domain.Version > 1 ? 26 : null,
                    atLeast: true
                );
                Row($"word swap, {at}: PSNR to the rendered truth", Number(EditKind.Swap, r, 3), "dB", null, atLeast: true);
                foreach (EditKind kind in (EditKind[])[EditKind.Colour, EditKind.Background])
                {
                    double share = Number(kind, r, 1);
                    bool asked = bar || (kind == EditKind.Background && r == 1);
                    _rows.Add(
                        new EvaluationRow(
                            Invariant($"{kind.ToString().ToLowerInvariant()} edit, {at}: move of the mean colour, share of the true move"),
                            Invariant($"{share:0.00}"),
                            asked ? "0.7 to 1.3" : "",
                            asked ? share is >= 0.7 and <= 1.3 : null
                        )
                    );
                    Row(Invariant($"{kind.ToString().ToLowerInvariant()} edit, {at}: seen as asked"), Number(kind, r, 0), "%", null, atLeast: true);
                }
            }

            // Success: classified as requested, and closer to the truth than the source picture.
            foreach (
                (EditKind kind, double? limit) in ((EditKind, double?)[])
                    [
                        (EditKind.Swap, 85),
                        (EditKind.Colour, 85),
                        (EditKind.Background, 85),
                        (EditKind.Add, 60),
                        (EditKind.Remove, null),
                        (EditKind.Night, 70),
                        (EditKind.Weather, null),
                        (EditKind.Style, null),
                    ]
            )
            {
                if (double.IsNaN(Number(kind, 0, 5)))
                    continue;
                bool asked = w == 7.5 && _recipe.Domain.Version > 1;
                string name = kind.ToString().ToLowerInvariant();
                Row(
                    Invariant($"{name} edit, w={w}, injection 0.8/0.4: as asked and nearer to the truth than no edit"),
                    Number(kind, 0, 5),
                    "%",
                    asked ? limit : null,
                    atLeast: true
                );
                if (Injections.Length > 1)
                    Row(Invariant($"{name} edit, w={w}, injection 0.4/0.2: the same"), Number(kind, 1, 5), "%", null, atLeast: true);
            }

            if (Injections.Length == 1)
                continue;
            double place = Number(EditKind.Swap, 0, 2) - Number(EditKind.Swap, 2, 2),
                whole = Number(EditKind.Swap, 0, 3) - Number(EditKind.Swap, 2, 3);
            Row(Invariant($"word swap, w={w}: how much nearer to the truth 0.8/0.4 is than 0/0, outside the object"), place, "dB", 0.5, atLeast: true);
            Row(Invariant($"word swap, w={w}: the same over the whole picture"), whole, "dB", null, atLeast: true);
        }
    }

    private void Variants(WorkerPool pool, CancellationToken cancel)
    {
        int n = VariantScenes;
        if (n == 0)
            return;
        // No early stop: these use every iteration, whereas per-timestep inversion, measured above, often stops earlier.
        (string Name, IInversion Method)[] variants =
        [
            ("global", new GlobalNullTextInversion(new GlobalNullTextOptions { InnerSteps = _options.InnerSteps })),
            ("random pivot", new RandomPivotInversion(new NullTextOptions { InnerSteps = _options.InnerSteps, StopEarly = false })),
        ];
        foreach ((string name, IInversion method) in variants)
        {
            PerImage(
                pool,
                $"variant/{name}",
                n,
                4,
                cancel,
                (renderer, scenes, _) =>
                {
                    Tensor pixels = Pixels(renderer, scenes);
                    InversionProblem problem = Problem(scenes, _model.Vae.Encode(pixels), 7.5);
                    using InversionResult result = method.Invert(problem);
                    return [.. Psnr(_model.Vae.Decode(Sampler.Run(problem.Predictor, problem.Grid, result.Plan)), pixels).Select(p => new[] { p })];
                }
            );
        }

        double best = Mean(NullTextPart(7.5), n),
            steps = Mean(NullTextPart(7.5), n, 2);
        foreach ((string name, _) in variants)
        {
            double mean = Mean($"variant/{name}", n);
            _rows.Add(
                new EvaluationRow(
                    Invariant($"{name}, w=7.5, {n} scenes, {_options.Steps * _options.InnerSteps} iterations"),
                    Invariant($"{mean:0.00} dB"),
                    Invariant($"below per timestep: {best:0.00} dB in {steps:0} iterations"),
                    mean < best
                )
            );
        }
    }

    /// <summary>Measures images in small batches on all workers, storing the numbers of every image.</summary>
    private void PerImage(
        WorkerPool pool,
        string part,
        int count,
        int together,
        CancellationToken cancel,
        Func<SceneRenderer, IReadOnlyList<SceneDescription>, int, double[][]> measure,
        IReadOnlyList<SceneDescription>? given = null
    )
    {
        int[] firsts =
        [
            .. Enumerable
                .Range(0, (count + together - 1) / together)
                .Select(j => j * together)
                .Where(f => Enumerable.Range(f, Math.Min(together, count - f)).Any(i => _store.Find(Key(part, i)) is null)),
        ];
        if (firsts.Length == 0)
            return;
        _options.Log?.Invoke($"{part}: {count} scenes");
        SceneTraining.WithRenderers(
            pool,
            renderers =>
                pool.Run(
                    firsts.Length,
                    (worker, job) =>
                    {
                        cancel.ThrowIfCancellationRequested();
                        using DisposeScope scope = NewDisposeScope();
                        int first = firsts[job];
                        SceneDescription[] scenes =
                        [
                            .. Enumerable
                                .Range(first, Math.Min(together, count - first))
                                .Select(i => given?[i] ?? ToyScenes.Sample(i, SceneSplit.HeldOut, _recipe.Scenes)),
                        ];
                        double[][] values;
                        using (no_grad())
                            values = measure(renderers[worker], scenes, first);
                        for (int i = 0; i < values.Length; i++)
                            _store.Add(Key(part, first + i), values[i]);
                    }
                )
        );
    }

    private static string Key(string part, int image) => $"{part}/{image:D3}";

    private double Mean(string part, int count, int column = 0) =>
        Enumerable.Range(0, count).Select(i => _store.Find(Key(part, i))![column]).Where(x => !double.IsNaN(x)).DefaultIfEmpty(double.NaN).Average();

    private void Row(string measure, double value, string unit, double? bar, bool atLeast)
    {
        bool? met = bar is { } b ? (atLeast ? value >= b : value <= b) : null;
        string Text(double x) => Invariant($"{x:0.##}{(unit.Length > 0 ? " " : "")}{unit}");
        _rows.Add(new EvaluationRow(measure, Text(value), bar is { } limit ? $"{(atLeast ? "at least" : "at most")} {Text(limit)}" : "", met));
        _options.Log?.Invoke($"{measure}: {Text(value)}");
    }

    private Tensor Pixels(SceneRenderer renderer, IReadOnlyList<SceneDescription> scenes) => SceneBatch.Pixels(renderer, scenes, _recipe.ImageSize).to(Device);

    private long[] LatentShape(long batch) => [batch, _model.UNet.Config.InChannels, _model.UNet.Config.SampleSize, _model.UNet.Config.SampleSize];

    private Conditioning Embed(IEnumerable<string> prompts) => _model.Embed([.. prompts]);

    private INoisePredictor Predictor(INetworkHook? attention = null) => _model.Predictor(attention ?? ExplicitAttention.Instance);

    private TimestepGrid Grid() => _model.Grid(_options.Steps);

    private InversionProblem Problem(IReadOnlyList<SceneDescription> scenes, Tensor latents, double w) =>
        new()
        {
            Predictor = Predictor(),
            Grid = Grid(),
            Latents = latents,
            Conditional = Embed(scenes.Select(s => s.Caption)),
            Unconditional = Embed([""]),
            GuidanceScale = w,
        };

    /// <summary>PSNR per picture, after rounding to bytes.</summary>
    private static double[] Psnr(Tensor decoded, Tensor pixels) => Metrics.Psnr.PerImage(SceneBatch.ToPixels(SceneBatch.ToBytes(decoded)), pixels, peak: 2);

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
