using System.Globalization;
using System.Text.RegularExpressions;
using NullTextResearch.Diffusion;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using NullTextResearch.Weights;

namespace NullTextResearch.Loading;

/// <summary>Infers configs from the names and shapes of an original single-file checkpoint.</summary>
internal sealed partial class SingleFileReader(Checkpoint file, ModelLoadOptions options)
{
    // Shapes do not show the number of heads. In this family, models with linear projections have heads of 64 channels; those with convolutions have 8 heads.
    private const int ChannelsOfHead = 64;
    private const int HeadsOfConvolutional = 8;
    private const int MostYaml = 1 << 20;

    // Left over from training, or useful only to other programs.
    private static readonly string[] Harmless =
    [
        "betas",
        "alphas_cumprod",
        "alphas_cumprod_prev",
        "sqrt_alphas_cumprod",
        "sqrt_one_minus_alphas_cumprod",
        "log_one_minus_alphas_cumprod",
        "sqrt_recip_alphas_cumprod",
        "sqrt_recipm1_alphas_cumprod",
        "posterior_variance",
        "posterior_log_variance_clipped",
        "posterior_mean_coef1",
        "posterior_mean_coef2",
        "lvlb_weights",
        "logvar",
        "scale_factor",
        "global_step",
        "v_pred",
        "ztsnr",
        "denoiser.sigmas",
    ];

    /// <summary>The layout.</summary>
    /// <exception cref="ModelFormatException">The model is not supported.</exception>
    public SingleFileLayout Read()
    {
        List<string> notes = [];
        UNetConfig unet = ReadUNet();
        VaeConfig vae = ReadVae();
        (ClipTextConfig text, bool openClip) = ReadText();
        (PredictionType prediction, bool guessed, string why) = ReadPrediction(openClip);
        notes.Add($"predicts {(prediction == PredictionType.Epsilon ? "noise (epsilon)" : "velocity (v)")}: {why}");
        // Shapes do not show the image size either: in the published models, velocity goes with 768 pixels.
        int size = ReadResolution() ?? (openClip && prediction == PredictionType.Velocity ? 768 : 512);
        ScheduleConfig schedule = new()
        {
            Prediction = prediction,
            ZeroTerminalSnr = file.Has("ztsnr"),
            Spacing = file.Has("ztsnr") ? TimestepSpacing.Trailing : TimestepSpacing.Leading,
        };
        notes.AddRange(Leftovers());
        return new SingleFileLayout
        {
            UNet = unet with { SampleSize = size / vae.Downscale },
            Vae = vae with { SampleSize = size },
            Text = text,
            Schedule = schedule,
            PredictionIsGuessed = guessed,
            IsOpenClip = openClip,
            Notes = notes,
        };
    }

    private UNetConfig ReadUNet()
    {
        const string At = SingleFileKeys.UNetPrefix;
        List<(int Channels, int Layers, bool Attends)> levels = [];
        (int channels, int layers, bool attends) = (0, 0, false);
        for (int block = 1; ; block++)
        {
            string at = $"{At}input_blocks.{block}.";
            if (file.Find(at + "0.out_layers.3.weight") is { } conv)
            {
                (channels, layers, attends) = (Size(conv, 0, 4), layers + 1, file.Has(at + "1.proj_in.weight"));
            }
            else
            {
                if (layers > 0)
                    levels.Add((channels, layers, attends));
                layers = 0;
                if (!file.Has(at + "0.op.weight"))
                    break;
            }
        }
        if (levels.Count == 0 || levels.Any(l => l.Layers != levels[0].Layers))
            throw Unlike($"its U-Net has {string.Join(", ", levels.Select(l => l.Layers))} residual blocks per level");
        int perLevel = levels[0].Layers + 1;
        bool[] upAttends = [.. Enumerable.Range(0, levels.Count).Select(level => file.Has($"{At}output_blocks.{level * perLevel}.1.proj_in.weight"))];
        string transformer = levels.FindIndex(l => l.Attends) is >= 0 and int at0
            ? $"{At}input_blocks.{1 + (at0 * perLevel)}.1."
            : throw Unlike("its U-Net has no attention");
        bool linear = Entry(transformer + "proj_in.weight").Shape.Count == 2;
        if (linear && levels.Any(l => l.Channels % ChannelsOfHead != 0))
            throw Unlike($"the channels of a U-Net level are not a multiple of {ChannelsOfHead}");
        return new UNetConfig
        {
            InChannels = Size(Entry(At + "input_blocks.0.0.weight"), 1, 4),
            OutChannels = Size(Entry(At + "out.2.weight"), 0, 4),
            BlockOutChannels = [.. levels.Select(l => l.Channels)],
            DownHasAttention = [.. levels.Select(l => l.Attends)],
            UpHasAttention = upAttends,
            LayersPerBlock = levels[0].Layers,
            Heads = [.. levels.Select(l => linear ? l.Channels / ChannelsOfHead : HeadsOfConvolutional)],
            CrossAttentionDim = Size(Entry(transformer + "transformer_blocks.0.attn2.to_k.weight"), 1, 2),
            UseLinearProjection = linear,
            UpcastAttention = linear,
        };
    }

    private VaeConfig ReadVae()
    {
        const string At = SingleFileKeys.VaePrefix;
        List<int> channels = [];
        while (file.Find($"{At}encoder.down.{channels.Count}.block.0.conv1.weight") is { } conv)
            channels.Add(Size(conv, 0, 4));
        int layers = 0;
        while (file.Has($"{At}encoder.down.0.block.{layers}.conv1.weight"))
            layers++;
        if (channels.Count == 0)
            throw Unlike("it has no autoencoder (first_stage_model.encoder.*): use a version that includes the VAE");
        return new VaeConfig
        {
            BlockOutChannels = channels,
            LayersPerBlock = layers,
            LatentChannels = Size(Entry(At + "post_quant_conv.weight"), 0, 4),
            ImageChannels = Size(Entry(At + "encoder.conv_in.weight"), 1, 4),
        };
    }

    private (ClipTextConfig Text, bool IsOpenClip) ReadText()
    {
        string open = SingleFileKeys.OpenClipPrefix;
        if (file.Find(open + "token_embedding.weight") is { } tokens)
        {
            int layers = Count(i => $"{open}transformer.resblocks.{i}.ln_1.weight"),
                width = Size(tokens, 1, 2);
            // The penultimate layer's output is used, so a complete encoder has one layer too many. Some converters leave that layer out, with
            // everything above it; others write a made-up one. The published encoder has 24, of which 23 are used.
            int used =
                width == ClipTextConfig.StableDiffusion2.HiddenSize ? Math.Min(layers, ClipTextConfig.StableDiffusion2.Layers)
                : file.Has(open + "text_projection") ? layers - 1
                : layers;
            return (
                new ClipTextConfig
                {
                    VocabSize = Size(tokens, 0, 2),
                    HiddenSize = width,
                    IntermediateSize = Size(Entry($"{open}transformer.resblocks.0.mlp.c_fc.weight"), 0, 2),
                    Layers = used,
                    Heads = HeadsOf(width),
                    ContextLength = Size(Entry(open + "positional_embedding"), 0, 2),
                    QuickGelu = false,
                },
                true
            );
        }
        string clip = SingleFileKeys.ClipPrefix + (file.Has(SingleFileKeys.ClipPrefix + "text_model.embeddings.token_embedding.weight") ? "text_model." : "");
        if (file.Find(clip + "embeddings.token_embedding.weight") is not { } table)
            throw Unlike("it has no text encoder (cond_stage_model.transformer.* or cond_stage_model.model.*): use a complete version");
        return (
            new ClipTextConfig
            {
                VocabSize = Size(table, 0, 2),
                HiddenSize = Size(table, 1, 2),
                IntermediateSize = Size(Entry(clip + "encoder.layers.0.mlp.fc1.weight"), 0, 2),
                Layers = Count(i => $"{clip}encoder.layers.{i}.layer_norm1.weight"),
                Heads = HeadsOf(Size(table, 1, 2)),
                ContextLength = Size(Entry(clip + "embeddings.position_embedding.weight"), 0, 2),
            },
            false
        );

        int HeadsOf(int width) =>
            width % ChannelsOfHead == 0 ? width / ChannelsOfHead : throw Unlike($"its text encoder is {width} wide, not a multiple of {ChannelsOfHead}");

        int Count(Func<int, string> key)
        {
            int n = 0;
            while (file.Has(key(n)))
                n++;
            return n;
        }
    }

    private (PredictionType Prediction, bool IsGuessed, string Why) ReadPrediction(bool openClip)
    {
        if (options.Prediction is { } asked)
            return (asked, false, "as requested");
        if (file.Has("v_pred"))
            return (PredictionType.Velocity, false, "the file has the marker v_pred");
        IReadOnlyDictionary<string, string> metadata = file.Files[0].Metadata;
        string said = (metadata.GetValueOrDefault("modelspec.prediction_type") ?? "") + " " + (metadata.GetValueOrDefault("modelspec.architecture") ?? "");
        if (said.StartsWith("v", StringComparison.Ordinal) || said.Contains("768-v", StringComparison.Ordinal))
            return (PredictionType.Velocity, false, "the file's metadata say so");
        if (said.StartsWith("eps", StringComparison.Ordinal) || said.Contains("v2-512", StringComparison.Ordinal))
            return (PredictionType.Epsilon, false, "the file's metadata say so");
        string yaml = Path.ChangeExtension(file.Path, ".yaml");
        if (File.Exists(yaml))
        {
            bool velocity = Parameterization().IsMatch(ReadYaml(yaml));
            return (velocity ? PredictionType.Velocity : PredictionType.Epsilon, false, $"{Path.GetFileName(yaml)} says so");
        }
        if (!openClip)
            return (PredictionType.Epsilon, false, "like all published models with this text encoder");
        string name = Path.GetFileName(file.Path).ToLowerInvariant();
        if (name.StartsWith("768-v-", StringComparison.Ordinal) || name.StartsWith("v2-1_768", StringComparison.Ordinal))
            return (PredictionType.Velocity, false, "the published file of this name does");
        if (name.StartsWith("512-base-", StringComparison.Ordinal) || name.StartsWith("v2-1_512", StringComparison.Ordinal))
            return (PredictionType.Epsilon, false, "the published file of this name does");
        return (PredictionType.Velocity, true, "the file does not say, and Stable Diffusion 2 at 768 pixels does");
    }

    private static string ReadYaml(string path)
    {
        try
        {
            return RegularFile.ReadText(path, MostYaml);
        }
        catch (UnreadableFileException e)
        {
            throw ModelFormatException.Of(e);
        }
    }

    private int? ReadResolution()
    {
        string? text = file.Files[0].Metadata.GetValueOrDefault("modelspec.resolution");
        return text is not null && int.TryParse(text.Split('x')[0], NumberStyles.None, CultureInfo.InvariantCulture, out int size) && size is >= 64 and <= 4096
            ? size / 64 * 64
            : null;
    }

    private IEnumerable<string> Leftovers()
    {
        string[] outside = [.. file.Entries.Select(e => e.Name).Where(IsNoPart)];
        int ema = outside.Count(k => k.StartsWith(SingleFileKeys.EmaPrefix, StringComparison.Ordinal));
        if (options.UseEma && ema == 0)
            throw new ModelFormatException(
                $"{file.Path} has no averaged weights (model_ema.*): load it without UseEma. Published files named 'emaonly' store the average under the "
                    + "ordinary names."
            );
        if (ema > 0)
            yield return options.UseEma
                ? "the U-Net's averaged weights (EMA) were used"
                : "the file also contains averaged weights (EMA), which were ignored; UseEma selects them";
        string[] unknown =
        [
            .. outside.Where(k =>
                !k.StartsWith(SingleFileKeys.EmaPrefix, StringComparison.Ordinal) && !Harmless.Contains(k) && !k.StartsWith("loss.", StringComparison.Ordinal)
            ),
        ];
        if (unknown.Length > 0)
            yield return ModelSource.Left(unknown);

        static bool IsNoPart(string key) =>
            !key.StartsWith(SingleFileKeys.UNetPrefix, StringComparison.Ordinal)
            && !key.StartsWith(SingleFileKeys.VaePrefix, StringComparison.Ordinal)
            && !key.StartsWith("cond_stage_model.", StringComparison.Ordinal);
    }

    private SafetensorsEntry Entry(string key) => file.Find(key) ?? throw Unlike($"it lacks {key}");

    // Axis lengths become sizes of networks, so they must be plausible.
    private int Size(SafetensorsEntry entry, int axis, int axes) =>
        entry.Shape.Count == axes && entry.Shape[axis] is >= 1 and <= ClipTokenizer.MostTokens
            ? (int)entry.Shape[axis]
            : throw Unlike($"{entry.Name} has the shape {Tensors.Shape.Text(entry.Shape)}; expected {axes} axes of plausible lengths");

    private ModelFormatException Unlike(string what) => new($"{file.Path} is laid out like an original Stable Diffusion checkpoint, but {what}.");

    [GeneratedRegex(@"parameterization:\s*[""']?v\b")]
    private static partial Regex Parameterization();
}
