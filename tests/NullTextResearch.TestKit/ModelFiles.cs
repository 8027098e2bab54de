using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using NullTextResearch.Text;
using NullTextResearch.Verification;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.TestKit;

/// <summary>Writes models to disk in every layout, with weights that follow from their names.</summary>
public static class ModelFiles
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    /// <summary>Words of the small vocabulary.</summary>
    public static IReadOnlyList<string> Words { get; } = ["a", "red", "big", "car", "house", "cat", "dog", "in", "the", "snow", "desert"];

    /// <summary>A model with the vocabulary that <see cref="WriteTokenizer"/> makes.</summary>
    public static OriginalModel WithVocabulary(this OriginalModel model) => model with { Vocabulary = ClipVocabularyBuilder.Build(Words).VocabularySize };

    /// <summary>Writes the small vocabulary.</summary>
    public static void WriteTokenizer(string folder)
    {
        Directory.CreateDirectory(folder);
        ClipVocabularyBuilder.Build(Words).Save(folder);
    }

    /// <summary>The numbers of a tensor; what the model does not use gets numbers too.</summary>
    public static Tensor Value(OriginalTensor tensor, ScalarType dtype)
    {
        FormulaWeights formula = new();
        if (tensor.Keys.Count == 0)
            return tensor.Shape.Length == 0 ? torch.tensor(1.5f).to(dtype) : formula.Input(tensor.Name, tensor.Shape).to(dtype);
        long[] part = [tensor.Shape.Length == 0 ? 1 : tensor.Shape[0] / tensor.Keys.Count, .. tensor.Shape.Skip(1)];
        return cat([.. tensor.Keys.Select(key => formula.Weight(Hashed(key), Trimmed(key, part)).reshape(part))], 0).to(dtype);
    }

    /// <summary>Writes a file, one tensor in memory at a time.</summary>
    public static void WriteOriginal(
        string path,
        IReadOnlyList<OriginalTensor> tensors,
        ScalarType dtype = ScalarType.Float32,
        IReadOnlyDictionary<string, string>? metadata = null
    )
    {
        (string name, int bytes) = dtype switch
        {
            ScalarType.Float16 => ("F16", 2),
            ScalarType.BFloat16 => ("BF16", 2),
            ScalarType.Float64 => ("F64", 8),
            _ => ("F32", 4),
        };
        long at = WriteHollow(path, tensors, name, bytes, metadata);
        using FileStream file = File.OpenWrite(path);
        file.Position = at;
        foreach (OriginalTensor tensor in tensors)
        {
            using DisposeScope scope = NewDisposeScope();
            file.Write(Value(tensor, dtype).contiguous().bytes);
        }
    }

    /// <summary>Writes names and shapes with zeros for numbers, as a sparse file that takes no room on the disk.</summary>
    /// <returns>Where the numbers begin.</returns>
    public static long WriteHollow(
        string path,
        IEnumerable<OriginalTensor> tensors,
        string dtype = "F32",
        int bytes = 4,
        IReadOnlyDictionary<string, string>? metadata = null
    )
    {
        JsonObject header = [];
        if (metadata is not null)
            header["__metadata__"] = new JsonObject([.. metadata.Select(m => KeyValuePair.Create(m.Key, (JsonNode?)m.Value))]);
        long at = 0;
        foreach (OriginalTensor t in tensors)
        {
            long end = at + t.Shape.Aggregate((long)bytes, (a, b) => a * b);
            header[t.Name] = new JsonObject
            {
                ["dtype"] = dtype,
                ["shape"] = new JsonArray([.. t.Shape.Select(n => (JsonNode)n)]),
                ["data_offsets"] = new JsonArray(at, end),
            };
            at = end;
        }
        byte[] text = JsonSerializer.SerializeToUtf8Bytes(header);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using FileStream file = File.Create(path);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, text.Length);
        file.Write(length);
        file.Write(text);
        file.SetLength(8 + text.Length + at);
        return 8 + text.Length;
    }

    /// <summary>Writes a diffusers-format folder.</summary>
    /// <param name="folder">Target.</param>
    /// <param name="model">Sizes.</param>
    /// <param name="dtype">Type of the numbers.</param>
    /// <param name="variant">Word in the names of the weight files, or empty.</param>
    /// <param name="shards">Shards of each checkpoint; 1 writes plain files.</param>
    /// <param name="hollow">Zeros in sparse files.</param>
    public static void WriteFolder(
        string folder,
        OriginalModel model,
        ScalarType dtype = ScalarType.Float32,
        string variant = "",
        int shards = 1,
        bool hollow = false
    )
    {
        bool second = model.LinearProjections;
        string[] Types(string plain, string attention, IEnumerable<bool> attends) => [.. attends.Select(a => a ? attention : plain)];
        bool[] attends = [.. model.Multipliers.Select((_, level) => model.AttentionAt.Contains(1 << level))];
        Write(
            "unet/config.json",
            new
            {
                _class_name = "UNet2DConditionModel",
                act_fn = "silu",
                attention_head_dim = second ? model.Multipliers.Select(m => m * model.Channels / 64).ToArray() : (object)8,
                block_out_channels = model.Multipliers.Select(m => m * model.Channels).ToArray(),
                center_input_sample = false,
                cross_attention_dim = model.Context,
                down_block_types = Types("DownBlock2D", "CrossAttnDownBlock2D", attends),
                downsample_padding = 1,
                dual_cross_attention = false,
                flip_sin_to_cos = true,
                freq_shift = 0,
                in_channels = model.InChannels,
                layers_per_block = model.ResidualBlocks,
                mid_block_scale_factor = 1,
                norm_eps = 1e-5,
                norm_num_groups = 32,
                num_class_embeds = (int?)null,
                only_cross_attention = false,
                out_channels = 4,
                sample_size = second ? 96 : 64,
                up_block_types = Types("UpBlock2D", "CrossAttnUpBlock2D", attends.Reverse()),
                use_linear_projection = second,
                upcast_attention = second,
            }
        );
        Write(
            "vae/config.json",
            new
            {
                _class_name = "AutoencoderKL",
                act_fn = "silu",
                block_out_channels = model.VaeMultipliers.Select(m => m * model.VaeChannels).ToArray(),
                down_block_types = model.VaeMultipliers.Select(_ => "DownEncoderBlock2D").ToArray(),
                in_channels = 3,
                latent_channels = 4,
                layers_per_block = model.VaeResidualBlocks,
                norm_num_groups = 32,
                out_channels = 3,
                sample_size = second ? 768 : 512,
                up_block_types = model.VaeMultipliers.Select(_ => "UpDecoderBlock2D").ToArray(),
            }
        );
        Write(
            "text_encoder/config.json",
            new
            {
                architectures = (string[])["CLIPTextModel"],
                hidden_act = second ? "gelu" : "quick_gelu",
                hidden_size = model.Context,
                intermediate_size = 4 * model.Context,
                layer_norm_eps = 1e-5,
                max_position_embeddings = model.ContextLength,
                num_attention_heads = model.Context / 64,
                num_hidden_layers = model.UsedTextLayers,
                vocab_size = model.Vocabulary,
            }
        );
        Write(
            "scheduler/scheduler_config.json",
            new
            {
                _class_name = second ? "DDIMScheduler" : "PNDMScheduler",
                beta_end = 0.012,
                beta_schedule = "scaled_linear",
                beta_start = 0.00085,
                clip_sample = false,
                num_train_timesteps = 1000,
                prediction_type = second ? "v_prediction" : "epsilon",
                set_alpha_to_one = false,
                skip_prk_steps = true,
                steps_offset = 1,
                trained_betas = (object?)null,
            }
        );
        Write("model_index.json", new { _class_name = "StableDiffusionPipeline" });
        WriteTokenizer(Path.Combine(folder, "tokenizer"));
        foreach (
            (string part, string stem, IReadOnlyList<OriginalTensor> tensors) in ((string, string, IReadOnlyList<OriginalTensor>)[])
                [("unet", "diffusion_pytorch_model", model.UNet()), ("vae", "diffusion_pytorch_model", model.Vae()), ("text_encoder", "model", model.Text())]
        )
        {
            OriginalTensor[] own =
            [
                .. tensors.SelectMany(t =>
                    t.Keys.Select(key => new OriginalTensor(
                        part == "vae" ? CheckpointKeys.OlderVaeKey(key) : key,
                        Trimmed(key, [t.Shape[0] / t.Keys.Count, .. t.Shape.Skip(1)]),
                        key
                    ))
                ),
            ];
            WriteWeights(Path.Combine(folder, part), stem, own, dtype, variant, shards, hollow);
        }

        void Write(string name, object content)
        {
            string path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, JsonSerializer.Serialize(content, Json));
        }
    }

    /// <summary>Writes one part's weights, under the key of each tensor as its name.</summary>
    public static void WriteWeights(
        string folder,
        string stem,
        IReadOnlyList<OriginalTensor> tensors,
        ScalarType dtype,
        string variant = "",
        int shards = 1,
        bool hollow = false
    )
    {
        string name = variant.Length == 0 ? stem : $"{stem}.{variant}";
        if (shards == 1)
        {
            Save($"{name}.safetensors", tensors);
            return;
        }
        JsonObject map = [];
        for (int i = 0; i < shards; i++)
        {
            string file = $"{name}-{i + 1:00000}-of-{shards:00000}.safetensors";
            OriginalTensor[] own = [.. tensors.Where((_, at) => at * shards / tensors.Count == i)];
            Save(file, own);
            foreach (OriginalTensor tensor in own)
                map[tensor.Name] = file;
        }
        string index = variant.Length == 0 ? $"{stem}.safetensors.index.json" : $"{stem}.safetensors.index.{variant}.json";
        File.WriteAllText(
            Path.Combine(folder, index),
            new JsonObject
            {
                ["metadata"] = new JsonObject { ["total_size"] = 1 },
                ["weight_map"] = map,
            }.ToJsonString()
        );

        void Save(string file, IReadOnlyList<OriginalTensor> what)
        {
            string path = Path.Combine(folder, file);
            if (hollow)
                WriteHollow(path, what, dtype == ScalarType.Float32 ? "F32" : "F16", dtype == ScalarType.Float32 ? 4 : 2);
            else
                WriteOriginal(path, what, dtype);
        }
    }

    /// <summary>The name from which a weight's numbers follow: the reference knows the autoencoder's attention by its older names.</summary>
    public static string Hashed(string key) =>
        key.StartsWith("encoder.", StringComparison.Ordinal) || key.StartsWith("decoder.", StringComparison.Ordinal) ? CheckpointKeys.OlderVaeKey(key) : key;

    // diffusers holds the autoencoder's attention as linear layers.
    private static long[] Trimmed(string key, long[] shape) =>
        key.Contains("mid_block.attentions.0.to_", StringComparison.Ordinal) && shape.Length == 4 ? shape[..2] : shape;
}
