using System.Text.Json;
using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Editing;

/// <summary>A tiny random U-Net with text embeddings of its own and a tokenizer with multi-token words.</summary>
internal sealed class EditingLab : IDisposable
{
    public const int Context = 12;
    private readonly Tensor _embeddingTable;
    private readonly List<IDisposable> _owned = [];

    static EditingLab() => set_num_threads(1);

    private readonly (int Height, int Width) _latents;

    public EditingLab(int steps = 5, ScalarType dtype = ScalarType.Float64, int height = 8, int width = 8, int levels = 2)
    {
        _latents = (height, width);
        Dtype = dtype;
        Grid = new TimestepGrid(NoiseSchedule.StableDiffusion, steps);
        UNet = new UNet2DConditionModel(
            new UNetConfig
            {
                SampleSize = 8,
                BlockOutChannels = [.. Enumerable.Repeat(16, levels)],
                DownHasAttention = [.. Enumerable.Repeat(true, levels)],
                UpHasAttention = [.. Enumerable.Repeat(true, levels)],
                LayersPerBlock = 1,
                Heads = [.. Enumerable.Repeat(2, levels)],
                CrossAttentionDim = 16,
                NormNumGroups = 4,
            }
        );
        UNet.Weights.Initialise(1, CPU, dtype);
        // Random weights attend almost evenly; sharper keys and stronger values make edits visible.
        foreach (Weight weight in UNet.Weights.All)
        {
            using IDisposable grad = no_grad();
            if (weight.Key.EndsWith("attn2.to_k.weight") || weight.Key.EndsWith("attn1.to_k.weight"))
                weight.Value.TimesInPlace(8);
            if (weight.Key.EndsWith("attn2.to_v.weight"))
                weight.Value.TimesInPlace(3);
        }
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new(7);
        _embeddingTable = randn([1000, 16], generator: generator).to(dtype).DetachFromDisposeScope();
    }

    public static WordTableTokenizer Tokenizer { get; } =
        WordTableTokenizer.FromJson(
            JsonDocument
                .Parse(
                    $$$"""
                    {"bos": 998, "eos": 999, "pad": 999, "max_length": {{{Context}}},
                     "words": {"a": ["a"], "cat": ["cat"], "dog": ["dog"], "red": ["red"], "on": ["on"], "mat": ["mat"], "squirrel": ["squ", "irrel"], "tiger": ["ti", "ger"], "lasagna": ["las", "ag", "na"]},
                     "piece_ids": {"a": 1, "cat": 2, "dog": 3, "red": 4, "on": 5, "mat": 6, "squ": 7, "irrel": 8, "las": 9, "ag": 10, "na": 11, "ti": 12, "ger": 13}}
                    """
                )
                .RootElement
        );

    public ScalarType Dtype { get; }

    public TimestepGrid Grid { get; }

    public UNet2DConditionModel UNet { get; }

    public static TokenizedPrompt Prompt(string text) => Tokenizer.Tokenize(text);

    public INoisePredictor Predictor(INetworkHook attention) => new Network(UNet, attention);

    /// <summary>The lab's text encoder: a table.</summary>
    public Tensor Encode(IReadOnlyList<TokenizedPrompt> prompts)
    {
        using Tensor ids = TokenizedPrompt.Stack(prompts);
        using Tensor flat = ids.flatten();
        using Tensor rows = _embeddingTable.index_select(0, flat);
        return rows.view(prompts.Count, Context, 16);
    }

    /// <summary>One row per prompt.</summary>
    public StepEmbeddings Embed(params string[] prompts)
    {
        using DisposeScope scope = NewDisposeScope();
        StepEmbeddings embeddings = StepEmbeddings.Constant(Encode([.. prompts.Select(Prompt)]));
        _owned.Add(embeddings);
        return embeddings;
    }

    /// <summary>Stands for an inversion: random noise and a random unconditional embedding per step.</summary>
    public InversionResult Inverted(params string[] prompts)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new(11);
        InversionResult result = new()
        {
            Method = "test",
            GuidanceScale = 3,
            StartLatents = randn([prompts.Length, 4, _latents.Height, _latents.Width], generator: generator).to(Dtype).DetachFromDisposeScope(),
            Conditional = Embed(prompts),
            Unconditional = StepEmbeddings.PerStep(randn([Grid.Steps, prompts.Length, Context, 16], generator: generator).to(Dtype)),
            EvaluationsPerImage = 0,
            Elapsed = TimeSpan.Zero,
            Options = "none",
        };
        _owned.Add(result);
        return result;
    }

    public EditResult Edit(
        InversionResult inversion,
        IReadOnlyList<ImageEdit> edits,
        PromptToPromptOptions? options = null,
        Func<INetworkHook, INoisePredictor>? predictor = null
    ) =>
        PromptToPrompt.Run(
            new EditProblem
            {
                Predictor = predictor ?? Predictor,
                Grid = Grid,
                Inversion = inversion,
                Edits = edits,
                TargetEmbeddings = [.. edits.Select(e => Embed([.. e.Targets.Select(t => t.Prompt.Prompt)]))],
            },
            options
        );

    public static ImageEdit Swap(string source, string target, double cross = 0.8, double self = 0.4, LocalBlend? blend = null) =>
        new()
        {
            Source = Prompt(source),
            Targets =
            [
                new EditTarget
                {
                    Prompt = Prompt(target),
                    Edit = new WordSwap(),
                    CrossReplace = CrossReplaceSchedule.Until(cross),
                    SelfReplace = StepWindow.Until(self),
                    Blend = blend,
                },
            ],
        };

    public void Dispose()
    {
        foreach (IDisposable owned in _owned)
            owned.Dispose();
        _embeddingTable.Dispose();
        UNet.Dispose();
    }

    private sealed class Network(UNet2DConditionModel unet, INetworkHook attention) : INoisePredictor
    {
        public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition)
        {
            using Tensor timesteps = tensor([(long)step.Timestep]);
            return unet.Forward(latents, timesteps, condition, attention, step.Step);
        }
    }
}
