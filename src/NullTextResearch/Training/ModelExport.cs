using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using NullTextResearch.Perception;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>Writes trained networks as a diffusers-format model folder in half precision.</summary>
internal static class ModelExport
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    public static void Write(string folder, AutoencoderKL vae, ClipTextModel text, UNet2DConditionModel unet, ClipTokenizer tokenizer, string tokenizerFolder)
    {
        Json(
            folder,
            "model_index.json",
            new JsonObject
            {
                ["_class_name"] = "StableDiffusionPipeline",
                ["_diffusers_version"] = "0.14.0",
                ["feature_extractor"] = Pair(null, null),
                ["requires_safety_checker"] = false,
                ["safety_checker"] = Pair(null, null),
                ["scheduler"] = Pair("diffusers", "DDIMScheduler"),
                ["text_encoder"] = Pair("transformers", "CLIPTextModel"),
                ["tokenizer"] = Pair("transformers", "CLIPTokenizer"),
                ["unet"] = Pair("diffusers", "UNet2DConditionModel"),
                ["vae"] = Pair("diffusers", "AutoencoderKL"),
            }
        );
        Json(
            folder,
            "scheduler/scheduler_config.json",
            new JsonObject
            {
                ["_class_name"] = "DDIMScheduler",
                ["_diffusers_version"] = "0.14.0",
                ["beta_end"] = 0.012,
                ["beta_schedule"] = "scaled_linear",
                ["beta_start"] = 0.00085,
                ["clip_sample"] = false,
                ["num_train_timesteps"] = 1000,
                ["prediction_type"] = "epsilon",
                ["set_alpha_to_one"] = false,
                ["steps_offset"] = 1,
                ["trained_betas"] = null,
            }
        );
        UNetConfig u = unet.Config;
        Json(
            folder,
            "unet/config.json",
            new JsonObject
            {
                ["_class_name"] = "UNet2DConditionModel",
                ["_diffusers_version"] = "0.14.0",
                ["act_fn"] = "silu",
                ["attention_head_dim"] = List(u.Heads),
                ["block_out_channels"] = List(u.BlockOutChannels),
                ["center_input_sample"] = false,
                ["cross_attention_dim"] = u.CrossAttentionDim,
                ["down_block_types"] = List(u.DownHasAttention.Select(a => a ? "CrossAttnDownBlock2D" : "DownBlock2D")),
                ["downsample_padding"] = u.DownsamplePadding,
                ["flip_sin_to_cos"] = u.FlipSinToCos,
                ["freq_shift"] = (int)u.FreqShift,
                ["in_channels"] = u.InChannels,
                ["layers_per_block"] = u.LayersPerBlock,
                ["mid_block_scale_factor"] = 1,
                ["norm_eps"] = u.NormEps,
                ["norm_num_groups"] = u.NormNumGroups,
                ["out_channels"] = u.OutChannels,
                ["sample_size"] = u.SampleSize,
                ["up_block_types"] = List(u.UpHasAttention.Select(a => a ? "CrossAttnUpBlock2D" : "UpBlock2D")),
            }
        );
        VaeConfig v = vae.Config;
        Json(
            folder,
            "vae/config.json",
            new JsonObject
            {
                ["_class_name"] = "AutoencoderKL",
                ["_diffusers_version"] = "0.14.0",
                ["act_fn"] = "silu",
                ["block_out_channels"] = List(v.BlockOutChannels),
                ["down_block_types"] = List(v.BlockOutChannels.Select(_ => "DownEncoderBlock2D")),
                ["in_channels"] = v.ImageChannels,
                ["latent_channels"] = v.LatentChannels,
                ["layers_per_block"] = v.LayersPerBlock,
                ["norm_num_groups"] = v.NormNumGroups,
                ["out_channels"] = v.ImageChannels,
                ["sample_size"] = v.SampleSize,
                ["scaling_factor"] = v.ScalingFactor,
                ["up_block_types"] = List(v.BlockOutChannels.Select(_ => "UpDecoderBlock2D")),
            }
        );
        JsonObject textConfig = TextConfig(text.Config, tokenizer, text.Config.HiddenSize);
        textConfig["architectures"] = List(["CLIPTextModel"]);
        textConfig["torch_dtype"] = "float16";
        Json(folder, "text_encoder/config.json", Sorted(textConfig));
        Directory.CreateDirectory(Path.Combine(folder, "tokenizer"));
        foreach (string file in Directory.GetFiles(tokenizerFolder))
            File.Copy(file, Path.Combine(folder, "tokenizer", Path.GetFileName(file)), overwrite: true);
        Safetensors(Path.Combine(folder, "unet", "diffusion_pytorch_model.safetensors"), unet.Weights, key => key);
        // The first diffusers version that reads safetensors uses older names for the autoencoder's attention. Later versions and this library accept them.
        Safetensors(Path.Combine(folder, "vae", "diffusion_pytorch_model.safetensors"), vae.Weights, CheckpointKeys.OlderVaeKey);
        Safetensors(Path.Combine(folder, "text_encoder", "model.safetensors"), text.Weights, key => key);
    }

    /// <summary>Writes the classifier next to the model: diffusers ignores folders that model_index.json does not name.</summary>
    public static void WriteClassifier(string folder, SceneClassifier classifier)
    {
        Json(folder, "classifier/config.json", classifier.Config);
        Safetensors(Path.Combine(folder, "classifier", "model.safetensors"), classifier.Weights, key => key);
    }

    /// <summary>Writes the CLIP next to the model, in the layout of transformers' CLIPModel.</summary>
    public static void WriteClip(string folder, ClipModel clip, ClipTokenizer tokenizer, string tokenizerFolder)
    {
        ClipVisionConfig v = clip.Config.Vision;
        Json(
            folder,
            "clip/config.json",
            new JsonObject
            {
                ["architectures"] = List(["CLIPModel"]),
                ["logit_scale_init_value"] = 2.6592,
                ["model_type"] = "clip",
                ["projection_dim"] = clip.Config.ProjectionSize,
                ["text_config"] = Sorted(TextConfig(clip.Config.Text, tokenizer, clip.Config.ProjectionSize)),
                ["torch_dtype"] = "float16",
                ["vision_config"] = new JsonObject
                {
                    ["hidden_act"] = Activation(v.QuickGelu),
                    ["hidden_size"] = v.HiddenSize,
                    ["image_size"] = v.ImageSize,
                    ["intermediate_size"] = v.IntermediateSize,
                    ["layer_norm_eps"] = v.LayerNormEps,
                    ["model_type"] = "clip_vision_model",
                    ["num_attention_heads"] = v.Heads,
                    ["num_channels"] = 3,
                    ["num_hidden_layers"] = v.Layers,
                    ["patch_size"] = v.PatchSize,
                    ["projection_dim"] = clip.Config.ProjectionSize,
                },
            }
        );
        foreach (string file in Directory.GetFiles(tokenizerFolder))
            File.Copy(file, Path.Combine(folder, "clip", Path.GetFileName(file)), overwrite: true);
        Safetensors(Path.Combine(folder, "clip", "model.safetensors"), clip.Weights, key => key);
    }

    private static string Activation(bool quick) => quick ? "quick_gelu" : "gelu";

    private static JsonObject TextConfig(ClipTextConfig config, ClipTokenizer tokenizer, int projection) =>
        new()
        {
            ["attention_dropout"] = 0.0,
            ["bos_token_id"] = tokenizer.StartToken,
            ["dropout"] = 0.0,
            ["eos_token_id"] = tokenizer.EndToken,
            ["hidden_act"] = Activation(config.QuickGelu),
            ["hidden_size"] = config.HiddenSize,
            ["initializer_factor"] = 1.0,
            ["initializer_range"] = 0.02,
            ["intermediate_size"] = config.IntermediateSize,
            ["layer_norm_eps"] = config.LayerNormEps,
            ["max_position_embeddings"] = config.ContextLength,
            ["model_type"] = "clip_text_model",
            ["num_attention_heads"] = config.Heads,
            ["num_hidden_layers"] = config.Layers,
            ["pad_token_id"] = tokenizer.PadToken,
            ["projection_dim"] = projection,
            ["vocab_size"] = config.VocabSize,
        };

    /// <summary>The members by name, as transformers writes them.</summary>
    private static JsonObject Sorted(JsonObject members) =>
        new(members.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => KeyValuePair.Create(m.Key, m.Value?.DeepClone())));

    private static void Safetensors(string path, WeightSet weights, Func<string, string> rename)
    {
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Dictionary<string, Tensor> half = new(StringComparer.Ordinal);
        foreach (Weight weight in weights.Trainable.OrderBy(w => w.Key, StringComparer.Ordinal))
        {
            Tensor value = weight.Value.detach().to(ScalarType.Float16);
            if (!value.isfinite().all().item<bool>())
                throw new TrainingFileException($"'{weight.Key}' does not fit half precision: training has diverged. Train again with a lower --rate.");
            half.Add(rename(weight.Key), value);
        }

        SafetensorsFile.Write(path, half, new Dictionary<string, string> { ["format"] = "pt" });
    }

    private static void Json(string folder, string name, JsonObject content)
    {
        WholeFile.Write(Path.Combine(folder, name), Encoding.UTF8.GetBytes(content.ToJsonString(Indented) + "\n"));
    }

    private static JsonArray Pair(string? library, string? name) => [library, name];

    private static JsonArray List<T>(IEnumerable<T> values) => [.. values.Select(v => (JsonNode?)JsonValue.Create(v))];
}
