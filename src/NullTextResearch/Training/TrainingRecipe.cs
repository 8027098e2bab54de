using System.Runtime.Intrinsics.X86;
using NullTextResearch.Scenes;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>Everything that decides what a training run makes. The defaults are the recipe of the shipped model.</summary>
public sealed record TrainingRecipe
{
    /// <summary>Seed of weights, scenes, captions and noise.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Side of the pictures in pixels.</summary>
    public int ImageSize { get; init; } = 64;

    /// <summary>The world of scenes and captions.</summary>
    public SceneDomain Domain { get; init; } = SceneDomain.Second;

    /// <summary>Which scenes the world shows how often.</summary>
    public SceneSamplerOptions Scenes => Domain.Scenes;

    /// <summary>Captions of the first part of the training of text encoder and U-Net.</summary>
    public CaptionNoise CleanCaptions { get; init; } = CaptionNoise.Clean with { Empty = 0.11, Prefix = 0.05 };

    /// <summary>Captions of the last part: weak and sometimes wrong, as the web's are, which keeps high guidance from overshooting.</summary>
    public CaptionNoise NoisyCaptions { get; init; } = CaptionNoise.Noisy;

    /// <summary>Share of the U-Net's training after which captions become noisy, 0 to 1; 1 for never.</summary>
    public double NoisyFrom { get; init; } = 1;

    /// <summary>
    /// Standard deviation of one further random number per channel, added to all of its noise ("offset noise", Guttenberg 2023). Plain noise
    /// hardly changes a channel's mean, so even the noisiest latents show what colour the background has, and a model that can see it
    /// need not listen to the caption: edits of backgrounds then fail.
    /// </summary>
    public double OffsetNoise { get; init; } = 0.1;

    /// <summary>
    /// Weight of a second loss of text encoder and U-Net: the share of a noun's, colour's or place's attention outside what it names, squared
    /// (see <see cref="GroundingAttention"/>). 0 leaves attention to itself.
    /// </summary>
    public double GroundingWeight { get; init; } = 0.01;

    /// <summary>Model folder with an autoencoder of the same architecture to begin with; null to begin with random weights.</summary>
    public string? AutoencoderFrom { get; init; }

    /// <summary>
    /// Model folder to go on from, with its architecture: its autoencoder stays what it is (the decoder stage may train it further), U-Net and text
    /// encoder begin with its weights, as far as both know the same words and rows. Null begins with random weights.
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

    /// <summary>Scenes encoded once for the training of the U-Net.</summary>
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

    /// <summary>Schedule of the decoder, trained further once the latents are fixed.</summary>
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

    /// <summary>The default recipe with its stages cut to fit a total time.</summary>
    /// <param name="minutes">Minutes for all stages together, positive; on two CPU cores 120 give the shipped model.</param>
    public static TrainingRecipe Within(double minutes)
    {
        if (!(minutes > 0))
            throw new ArgumentOutOfRangeException(nameof(minutes), minutes, "Training needs a positive number of minutes.");
        TrainingRecipe recipe = new();
        return recipe with
        {
            VaeStage = recipe.VaeStage with { Steps = 1_000_000, Minutes = minutes * 20 / 120 },
            UNetStage = recipe.UNetStage with { Steps = 1_000_000, Minutes = minutes * 85 / 120 },
            DecoderStage = recipe.DecoderStage with { Steps = 1_000_000, Minutes = minutes * 9 / 120 },
            ClassifierStage = recipe.ClassifierStage with { Steps = 1_000_000, Minutes = minutes * 6 / 120 },
        };
    }

    /// <summary>The default recipe with a fixed number of steps in every stage: nothing in it depends on the clock.</summary>
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
        };
    }

    /// <summary>Precision of activations; the fastest of the CPU by default. Weights, sums of gradients and the optimiser stay in float32.</summary>
    public ScalarType ActivationDtype { get; init; } = FastestActivations("cpu");

    /// <summary>bfloat16 on a GPU and on processors with AVX-512; float32 on others, where a step in bfloat16 took ten times as long (AMD Zen 1).</summary>
    /// <param name="device">"cpu", "cuda" or "cuda:N".</param>
    public static ScalarType FastestActivations(string device) =>
        device.StartsWith("cuda", StringComparison.Ordinal) || Avx512F.IsSupported ? ScalarType.BFloat16 : ScalarType.Float32;
}
