using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
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
    // The first diffusers that reads safetensors knows the autoencoder's attention by these names; later ones, and this library, accept them.
    private static readonly (string New, string Old)[] OldVaeNames =
        [("to_q.", "query."), ("to_k.", "key."), ("to_v.", "value."), ("to_out.0.", "proj_attn.")];

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    public static void Write(string folder, AutoencoderKL vae, ClipTextModel text, UNet2DConditionModel unet, ClipTokenizer tokenizer, string tokenizerFolder)
    {
        Json(folder, "model_index.json", new JsonObject
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
        });
        Json(folder, "scheduler/scheduler_config.json", new JsonObject
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
        });
        UNetConfig u = unet.Config;
        Json(folder, "unet/config.json", new JsonObject
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
        });
        VaeConfig v = vae.Config;
        Json(folder, "vae/config.json", new JsonObject
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
        });
        ClipTextConfig t = text.Config;
        Json(folder, "text_encoder/config.json", new JsonObject
        {
            ["architectures"] = List(["CLIPTextModel"]),
            ["attention_dropout"] = 0.0,
            ["bos_token_id"] = tokenizer.StartToken,
            ["dropout"] = 0.0,
            ["eos_token_id"] = tokenizer.EndToken,
            ["hidden_act"] = t.QuickGelu ? "quick_gelu" : "gelu",
            ["hidden_size"] = t.HiddenSize,
            ["initializer_factor"] = 1.0,
            ["initializer_range"] = 0.02,
            ["intermediate_size"] = t.IntermediateSize,
            ["layer_norm_eps"] = t.LayerNormEps,
            ["max_position_embeddings"] = t.ContextLength,
            ["model_type"] = "clip_text_model",
            ["num_attention_heads"] = t.Heads,
            ["num_hidden_layers"] = t.Layers,
            ["pad_token_id"] = tokenizer.PadToken,
            ["projection_dim"] = t.HiddenSize,
            ["torch_dtype"] = "float16",
            ["vocab_size"] = t.VocabSize,
        });
        Directory.CreateDirectory(Path.Combine(folder, "tokenizer"));
        foreach (string file in Directory.GetFiles(tokenizerFolder)) File.Copy(file, Path.Combine(folder, "tokenizer", Path.GetFileName(file)), overwrite: true);
        Safetensors(Path.Combine(folder, "unet", "diffusion_pytorch_model.safetensors"), unet.Weights, key => key);
        Safetensors(Path.Combine(folder, "vae", "diffusion_pytorch_model.safetensors"), vae.Weights, key =>
            OldVaeNames.Aggregate(key, (k, name) => k.Contains(".attentions.", StringComparison.Ordinal) ? k.Replace(name.New, name.Old, StringComparison.Ordinal) : k));
        Safetensors(Path.Combine(folder, "text_encoder", "model.safetensors"), text.Weights, key => key);
    }

    /// <summary>Writes the classifier beside the model: diffusers ignores folders that model_index.json does not name.</summary>
    public static void WriteClassifier(string folder, SceneClassifier classifier)
    {
        Directory.CreateDirectory(Path.Combine(folder, "classifier"));
        Safetensors(Path.Combine(folder, "classifier", "model.safetensors"), classifier.Weights, key => key);
    }

    private static void Safetensors(string path, WeightSet weights, Func<string, string> rename)
    {
        JsonObject header = new() { ["__metadata__"] = new JsonObject { ["format"] = "pt" } };
        List<Tensor> data = [];
        try
        {
            long offset = 0;
            foreach (Weight weight in weights.Trainable.OrderBy(w => w.Key, StringComparer.Ordinal))
            {
                using Tensor detached = weight.Value.detach();
                Tensor half = detached.to(ScalarType.Float16, CPU, copy: true).contiguous().DetachFromDisposeScope();
                data.Add(half);
                using Tensor finite = half.isfinite().all();
                if (!finite.item<bool>()) throw new InvalidDataException($"'{weight.Key}' does not fit half precision: training has diverged.");
                long bytes = 2 * weight.Count;
                header[rename(weight.Key)] = new JsonObject { ["dtype"] = "F16", ["shape"] = List(weight.Dimensions), ["data_offsets"] = List([offset, offset + bytes]) };
                offset += bytes;
            }

            byte[] json = JsonSerializer.SerializeToUtf8Bytes(header);
            // The data begins at a multiple of eight.
            Array.Resize(ref json, (json.Length + 7) / 8 * 8);
            json.AsSpan(json.AsSpan().LastIndexOf((byte)'}') + 1).Fill((byte)' ');
            string partial = path + ".tmp";
            using (FileStream file = new(partial, FileMode.Create))
            {
                byte[] length = new byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
                file.Write(length);
                file.Write(json);
                foreach (Tensor tensor in data) file.Write(tensor.bytes);
            }

            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            foreach (Tensor tensor in data) tensor.Dispose();
        }
    }

    private static void Json(string folder, string name, JsonObject content)
    {
        string path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content.ToJsonString(Indented) + "\n");
    }

    private static JsonArray Pair(string? library, string? name) => [library, name];

    private static JsonArray List<T>(IEnumerable<T> values) => [.. values.Select(v => (JsonNode?)JsonValue.Create(v))];
}
