using System.Globalization;
using System.Text.Json;
using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

/// <summary>Inversion, reconstruction and editing from stored start latents and context, on networks with formula weights.</summary>
internal sealed class GoldenAlgorithms
{
    private readonly GoldenFile _file;
    private readonly ScalarType _dtype;
    private readonly UNet2DConditionModel _unet;
    private readonly Tensor _levels;
    private readonly Tensor _context;
    private readonly InversionProblem _problem;
    private readonly int _innerSteps;

    private GoldenAlgorithms(GoldenFile file, string startFile)
    {
        _file = file;
        JsonElement entry = file.Entry;
        _levels = file.Folder.Read(startFile, "ddim_latents");
        _context = file.Folder.Read(startFile, "context");
        _dtype = _levels.dtype;
        _unet = file.Folder.UNet(file.Config, _dtype, startFile);
        _innerSteps = entry.GetProperty("num_inner_steps").GetInt32();
        NoiseSchedule schedule = _dtype == ScalarType.Float64 ? file.Folder.StoredSchedule() : file.Folder.OwnSchedule();
        _problem = new InversionProblem
        {
            Predictor = new UNetNoisePredictor(_unet),
            Grid = new TimestepGrid(schedule, entry.GetProperty("steps").GetInt32()),
            Latents = _levels[0],
            Conditional = _context.narrow(0, 1, 1),
            Unconditional = _context.narrow(0, 0, 1),
            GuidanceScale = entry.GetProperty("guidance").GetDouble(),
        };
    }

    public static void Recompute(GoldenFile file)
    {
        GoldenAlgorithms run = new(file, file.Name);
        run.Start();
        run.Baselines();
        run.Direct();
        InversionResult? edited = null;
        try
        {
            foreach (JsonProperty optimisation in file.Entry.GetProperty("early_stop_epsilon").EnumerateObject())
            {
                bool forEdits = optimisation.Name == "nti" && file.WantsAny(t => t.StartsWith("p2p.", StringComparison.Ordinal));
                if (!forEdits && !file.WantsAny(t => t.StartsWith(optimisation.Name + ".", StringComparison.Ordinal)))
                    continue;
                InversionResult result = run.NullText(optimisation.Name, optimisation.Value.GetDouble());
                if (forEdits)
                    edited = result;
                else
                    result.Dispose();
            }
            if (edited is not null)
                run.Edits(edited);
        }
        finally
        {
            edited?.Dispose();
        }
    }

    public static void EarlyStop(GoldenFile file)
    {
        GoldenAlgorithms run = new(file, file.Entry.GetProperty("start_file").GetString()!);
        JsonProperty[] tensors = [.. file.Entry.GetProperty("early_stop_epsilon").EnumerateObject()];
        foreach (IGrouping<string, JsonProperty> group in tensors.GroupBy(t => t.Name[..t.Name.LastIndexOf('.')]))
        {
            if (!group.Any(t => file.Wants(t.Name)))
                continue;
            using InversionResult result = run.NullText(group.Key, group.First().Value.GetDouble());
        }
    }

    /// <summary>Context, pivot and the image decoded by the autoencoder.</summary>
    private void Start()
    {
        using DisposeScope scope = NewDisposeScope();
        if (_file.Wants("context"))
            _file.Report("context", Embed("", _file.Entry.GetProperty("source_prompt").GetString()!));
        AutoencoderKL vae = _file.Folder.Vae(_file.Config, _dtype);
        if (_file.Wants("ddim_latents") || _file.Wants("direct.ddim_latents_last"))
        {
            Tensor image = _file.Folder.Read(_file.Entry.GetProperty("image"), _dtype);
            Tensor latents = Lifetime.WithoutGradient(() => vae.Encode(ImageTensor.ToPixels(GoldenNetworks.Image(image), dtype: _dtype)));
            using PivotTrajectory pivot = DdimInversion.Trajectory(_problem with { Latents = latents }, cancellation: _file.Cancellation);
            _file.Report("ddim_latents", stack([.. Enumerable.Range(0, pivot.Steps + 1).Select(level => pivot[level])]));
            _file.Report("direct.ddim_latents_last", pivot.Noisiest);
        }
        if (_file.Wants("image_rec_u8"))
        {
            RgbImage image = ImageTensor.ToImages(Lifetime.WithoutGradient(() => vae.Decode(_levels[0])))[0];
            _file.Report("image_rec_u8", tensor(image.Rgb, [image.Height, image.Width, 3]));
        }
    }

    /// <summary>Sampling without optimisation.</summary>
    private void Baselines()
    {
        using DisposeScope scope = NewDisposeScope();
        Sample("cfg.rec_latent", _problem.Unconditional, _problem.GuidanceScale);
        Sample("guidance1.rec_latent", _problem.Unconditional, 1);
        Sample("npi.rec_latent", _problem.Conditional, _problem.GuidanceScale);
        foreach (
            string name in _file.Tensors.Where(t =>
                t.StartsWith("npi_interp", StringComparison.Ordinal) && t.EndsWith(".uncond_embedding", StringComparison.Ordinal)
            )
        )
        {
            // npi_interp05 is a share of 0.5: the decimal point follows the first digit.
            string digits = name["npi_interp".Length..name.IndexOf('.', StringComparison.Ordinal)];
            double share = double.Parse($"{digits[0]}.{digits[1..]}", CultureInfo.InvariantCulture);
            Tensor embedding = NegativePromptInversion.Slerp(_problem.Conditional.Tokens, _problem.Unconditional.Tokens, share);
            _file.Report(name, embedding);
            Sample($"npi_interp{digits}.rec_latent", embedding, _problem.GuidanceScale);
        }
    }

    private void Sample(string name, Conditioning unconditional, double guidanceScale)
    {
        if (!_file.Wants(name))
            return;
        using StepEmbeddings conditional = StepEmbeddings.Constant(_problem.Conditional),
            plain = StepEmbeddings.Constant(unconditional);
        SamplingPlan plan = new()
        {
            StartLatents = _levels[-1],
            Conditional = conditional,
            Unconditional = plain,
            GuidanceScale = guidanceScale,
        };
        _file.Report(name, Sampler.Run(_problem.Predictor, _problem.Grid, plan, cancellation: _file.Cancellation));
    }

    /// <summary>Direct inversion, and an edit on top of it.</summary>
    private void Direct()
    {
        const string Edited = "direct.replace_latents";
        if (!_file.Wants("direct.offsets") && !_file.Wants(Edited))
            return;
        using DisposeScope scope = NewDisposeScope();
        using PivotTrajectory pivot = Pivot();
        string[] prompts = GoldenEditing.Texts(_file.Entry.GetProperty("quality").GetProperty("direct_prompts"));
        Tensor offsets = DirectInversion.Offsets(_problem, pivot, Embed(prompts), cancellation: _file.Cancellation);
        _file.Report("direct.offsets", offsets);
        if (!_file.Wants(Edited))
            return;
        using InversionResult inversion = new()
        {
            Method = "direct inversion",
            GuidanceScale = _problem.GuidanceScale,
            StartLatents = pivot.Noisiest.Snapshot(),
            Conditional = StepEmbeddings.Constant(_problem.Conditional),
            Unconditional = StepEmbeddings.Constant(_problem.Unconditional),
            Replay = new OffsetReplay(offsets.narrow(1, 0, 1).Snapshot()),
            EvaluationsPerImage = 0,
            Elapsed = TimeSpan.Zero,
            Options = new DdimInversionOptions(),
        };
        JsonElement first = _file.Entry.GetProperty("p2p_cases")[0];
        Edit(first, prompts, inversion, result => _file.Report(Edited, result.Latents));
    }

    /// <summary>One null-text optimisation, and the sampling that uses it.</summary>
    private InversionResult NullText(string name, double earlyStopLoss)
    {
        using DisposeScope scope = NewDisposeScope();
        using PivotTrajectory pivot = Pivot();
        NullTextInversion method = new(NullTextOptions.Default with { InnerSteps = _innerSteps, EarlyStopLoss = earlyStopLoss })
        {
            GradientObserver = (step, inner, gradient) =>
                _file.Report(string.Create(CultureInfo.InvariantCulture, $"{name}.grad.step{step.Step}.inner{inner}"), gradient),
        };
        InversionResult result = method.Invert(_problem, pivot, cancellation: _file.Cancellation);
        IReadOnlyList<StepOptimisation> steps = result.Optimisation[0];
        _file.Report(name + ".uncond_embeddings", result.Unconditional.Values.squeeze(1));
        double[] losses = [.. steps.SelectMany(s => s.Losses.Concat(Enumerable.Repeat(-1.0, _innerSteps - s.Losses.Count)))];
        _file.Report(name + ".losses", tensor(losses, [steps.Count, _innerSteps]));
        _file.Report(name + ".inner_counts", tensor(steps.Select(s => (long)s.Losses.Count).ToArray()));

        List<Tensor> latents = [];
        Sampler
            .Run(
                _problem.Predictor,
                _problem.Grid,
                result.Plan,
                (_, z) =>
                {
                    latents.Add(z.Snapshot());
                    return z;
                },
                _file.Cancellation
            )
            .Dispose();
        _file.Report(name + ".rec_latent", latents[^1]);
        _file.Report(name + ".rec_latents", stack(latents));
        if (_file.Wants(name + ".rec_decoded"))
            _file.Report(name + ".rec_decoded", Lifetime.WithoutGradient(() => _file.Folder.Vae(_file.Config, _dtype).Decode(latents[^1])));
        foreach (Tensor z in latents)
            z.Dispose();
        AverageAttention(name, result);
        return result;
    }

    /// <summary>Maps <c>NAME.avg_attention.PLACE.K</c>: K counts the stored maps of one stage and kind.</summary>
    private void AverageAttention(string name, InversionResult result)
    {
        string prefix = name + ".avg_attention.";
        if (!_file.WantsAny(t => t.StartsWith(prefix, StringComparison.Ordinal)))
            return;
        using AttentionStore store = new(new AttentionStoreOptions { Self = true });
        Sampler.Run(new UNetNoisePredictor(_unet, new StoringAttention(store)), _problem.Grid, result.Plan, cancellation: _file.Cancellation).Dispose();
        foreach (IGrouping<string, StoredMap> place in store.Maps.GroupBy(m => $"{m.Site.Stage}_{m.Site.Kind}".ToLowerInvariant()))
        {
            foreach ((StoredMap map, int k) in place.Select((m, k) => (m, k)))
                _file.Report(string.Create(CultureInfo.InvariantCulture, $"{prefix}{place.Key}.{k}"), map.Sum.select(0, 0).Over(map.Steps));
        }
    }

    /// <summary>All prompt-to-prompt cases, on the embeddings just optimised.</summary>
    private void Edits(InversionResult inversion)
    {
        foreach (JsonElement golden in _file.Entry.GetProperty("p2p_cases").EnumerateArray())
        {
            string name = $"p2p.{golden.GetProperty("kind").GetString()}.";
            if (!_file.WantsAny(t => t.StartsWith(name, StringComparison.Ordinal)))
                continue;
            Edit(
                golden,
                GoldenEditing.Texts(golden.GetProperty("prompts")),
                inversion,
                result =>
                {
                    if (_dtype == ScalarType.Float32 && golden.TryGetProperty("blend", out _))
                        _file.ReportBlended(name + "latents", name + "mask", result.Latents);
                    else
                        _file.Report(name + "latents", result.Latents);
                    if (result.Masks[0][0] is not { } mask)
                        return;
                    _file.Report(name + "mask_words", mask.Words);
                    _file.Report(name + "mask", mask.Final);
                    if (mask.Subtract is { } cut)
                        _file.Report(name + "mask_sub", cut);
                },
                name + "mid_latents"
            );
        }
    }

    private void Edit(JsonElement golden, string[] prompts, InversionResult inversion, Action<EditResult> report, string? middle = null)
    {
        using DisposeScope scope = NewDisposeScope();
        using StepEmbeddings source = StepEmbeddings.Constant(Embed(prompts[0])),
            targets = StepEmbeddings.Constant(Embed(prompts[1..]));
        EditProblem problem = new()
        {
            Predictor = attention => new UNetNoisePredictor(_unet, attention),
            Grid = _problem.Grid,
            Inversion = inversion,
            Edits = [GoldenEditing.Edit(_file.Folder.Tokenizer, golden)],
            SourceEmbeddings = source,
            TargetEmbeddings = [targets],
        };
        using EditResult result = PromptToPrompt.Run(
            problem,
            observe: (step, latents) =>
            {
                if (middle is not null && step.Step == _problem.Grid.Steps / 2)
                    _file.Report(middle, latents);
            },
            cancellation: _file.Cancellation
        );
        report(result);
    }

    private PivotTrajectory Pivot()
    {
        using DisposeScope scope = NewDisposeScope();
        return new PivotTrajectory(Enumerable.Range(0, (int)_levels.shape[0]).Select(level => _levels[level]));
    }

    private Tensor Embed(params string[] prompts) =>
        Lifetime.WithoutGradient(() =>
            _file.Folder.TextModel(_file.Config, _dtype).Forward(TokenizedPrompt.Stack([.. prompts.Select(_file.Folder.Tokenizer.Tokenize)]))
        );
}
