using System.Runtime.Intrinsics.X86;
using NullTextResearch.Perception;
using NullTextResearch.Scenes;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>Everything that determines the result of a training run. The defaults are the recipe of the shipped model.</summary>
public sealed record TrainingRecipe
{
    /// <summary>Seed of weights, scenes, captions and noise.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Side of the pictures in pixels.</summary>
    public int ImageSize { get; init; } = 64;

    /// <summary>The domain of scenes and captions.</summary>
    public SceneDomain Domain { get; init; } = SceneDomain.Second;

    /// <summary>How often each kind of scene occurs.</summary>
    public SceneSamplerOptions Scenes => Domain.Scenes;

    /// <summary>Captions for the first part of text encoder and U-Net training.</summary>
    public CaptionNoise CleanCaptions { get; init; } = CaptionNoise.Clean with { Empty = 0.11, Prefix = 0.05 };

    /// <summary>Captions for the last part: incomplete and sometimes wrong, like captions on the web, which keeps high guidance from overshooting.</summary>
    public CaptionNoise NoisyCaptions { get; init; } = CaptionNoise.Noisy;

    /// <summary>Share of U-Net training after which captions become noisy, 0 to 1; 1 means never.</summary>
    public double NoisyFrom { get; init; } = 1;

    /// <summary>
    /// Standard deviation of one additional random number per channel that is added to all of the channel's noise ("offset noise", Guttenberg 2023). Plain
    /// noise hardly changes a channel's mean, so even the noisiest latents reveal the colour of the background. A model that can see it ignores the caption,
    /// and background edits fail.
    /// </summary>
    public double OffsetNoise { get; init; } = 0.1;

    /// <summary>
    /// Weight of a second loss of text encoder and U-Net: the squared share of the attention of a noun, colour or place that falls outside the thing it names
    /// (see <see cref="GroundingAttention"/>). 0 leaves attention unconstrained.
    /// </summary>
    public double GroundingWeight { get; init; } = 0.01;

    /// <summary>Model folder with an autoencoder of the same architecture to start from; null to start from random weights.</summary>
    public string? AutoencoderFrom { get; init; }

    /// <summary>
    /// Model folder to continue from, including its architecture. Its autoencoder stays unchanged (the decoder stage may train it further); U-Net and text
    /// encoder start from its weights, except for words and rows that the two models do not share. Null starts from random weights.
    /// </summary>
    public string? ModelFrom { get; init; }

    /// <summary>Autoencoder.</summary>
    public VaeConfig Vae { get; init; } =
        new()
        {
            BlockOutChannels = [32, 48, 96],
            LayersPerBlock = 1,
            NormNumGroups = 8,
            SampleSize = 64,
        };

    /// <summary>Text encoder; the vocabulary's size is set by the tokenizer.</summary>
    public ClipTextConfig Text { get; init; } =
        new()
        {
            HiddenSize = 128,
            IntermediateSize = 512,
            Layers = 2,
            Heads = 4,
        };

    /// <summary>Noise predictor.</summary>
    public UNetConfig UNet { get; init; } =
        new()
        {
            SampleSize = 16,
            BlockOutChannels = [64, 144],
            DownHasAttention = [true, true],
            UpHasAttention = [true, true],
            LayersPerBlock = 1,
            Heads = [2, 4],
            CrossAttentionDim = 128,
            NormNumGroups = 16,
        };

    /// <summary>Schedule of the autoencoder.</summary>
    public StageSchedule VaeStage { get; init; } =
        new()
        {
            Steps = 3000,
            Batch = 16,
            Parts = 2,
            Rate = 2e-3,
            WarmUp = 100,
        };

    /// <summary>Weight of the Kullback-Leibler term, per latent value.</summary>
    public double KlWeight { get; init; } = 1e-4;

    /// <summary>Number of scenes encoded for U-Net training.</summary>
    public int TrainingScenes { get; init; } = 30_000;

    /// <summary>Schedule of text encoder and U-Net.</summary>
    public StageSchedule UNetStage { get; init; } =
        new()
        {
            Steps = 12_000,
            Batch = 32,
            Parts = 4,
            Rate = 1e-3,
            WarmUp = 150,
            Flat = 0.3,
        };

    /// <summary>Schedule of the decoder, which is trained further once the latents are fixed.</summary>
    public StageSchedule DecoderStage { get; init; } =
        new()
        {
            Steps = 1500,
            Batch = 16,
            Parts = 2,
            Rate = 1e-3,
            WarmUp = 50,
        };

    /// <summary>Schedule of the classifier.</summary>
    public StageSchedule ClassifierStage { get; init; } =
        new()
        {
            Steps = 700,
            Batch = 64,
            Parts = 4,
            Rate = 2e-3,
            WarmUp = 50,
        };

    /// <summary>The small CLIP; the vocabulary and its context are set by the tokenizer, the size of the pictures by <see cref="ImageSize"/>.</summary>
    public ClipConfig Clip { get; init; } =
        new()
        {
            Text = new ClipTextConfig
            {
                HiddenSize = 96,
                IntermediateSize = 384,
                Layers = 2,
                Heads = 4,
            },
            Vision = new ClipVisionConfig
            {
                HiddenSize = 128,
                IntermediateSize = 512,
                Layers = 3,
                Heads = 4,
                ImageSize = 64,
                PatchSize = 8,
            },
            ProjectionSize = 64,
        };

    /// <summary>Schedule of the CLIP.</summary>
    public StageSchedule ClipStage { get; init; } =
        new()
        {
            Steps = 1500,
            Batch = 128,
            Parts = 2,
            Rate = 1e-3,
            WarmUp = 100,
        };

    /// <summary>The default recipe with its stages limited to a total time.</summary>
    /// <param name="minutes">Total minutes for all stages, positive; 120 on two CPU cores give the shipped model.</param>
    public static TrainingRecipe Within(double minutes)
    {
        if (!(minutes > 0))
            throw new ArgumentOutOfRangeException(nameof(minutes), minutes, "Training needs a positive number of minutes.");
        TrainingRecipe recipe = new();
        return recipe with
        {
            VaeStage = recipe.VaeStage with { Steps = 1_000_000, Minutes = minutes * 20 / 120 },
            UNetStage = recipe.UNetStage with { Steps = 1_000_000, Minutes = minutes * 79 / 120 },
            DecoderStage = recipe.DecoderStage with { Steps = 1_000_000, Minutes = minutes * 9 / 120 },
            ClassifierStage = recipe.ClassifierStage with { Steps = 1_000_000, Minutes = minutes * 6 / 120 },
            ClipStage = recipe.ClipStage with { Steps = 1_000_000, Minutes = minutes * 6 / 120 },
        };
    }

    /// <summary>The default recipe with a fixed number of steps in every stage, independent of the clock.</summary>
    /// <param name="count">Optimiser steps of each stage, positive.</param>
    public static TrainingRecipe Steps(long count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        TrainingRecipe recipe = new();
        return recipe with
        {
            VaeStage = recipe.VaeStage with { Steps = count },
            UNetStage = recipe.UNetStage with { Steps = count },
            DecoderStage = recipe.DecoderStage with { Steps = count },
            ClassifierStage = recipe.ClassifierStage with { Steps = count },
            ClipStage = recipe.ClipStage with { Steps = count },
        };
    }

    /// <summary>Precision of activations; by default the fastest one on the CPU. Weights, sums of gradients and the optimiser stay in float32.</summary>
    public ScalarType ActivationDtype { get; init; } = FastestActivations("cpu");

    /// <summary>
    /// bfloat16 on a GPU and on processors with AVX-512, otherwise float32: without AVX-512, a bfloat16 step took ten times as long (AMD Zen 1).
    /// </summary>
    /// <param name="device">"cpu", "cuda" or "cuda:N".</param>
    public static ScalarType FastestActivations(string device) =>
        device.StartsWith("cuda", StringComparison.Ordinal) || Avx512F.IsSupported ? ScalarType.BFloat16 : ScalarType.Float32;
}
