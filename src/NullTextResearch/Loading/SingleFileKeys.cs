using NullTextResearch.UNet;
using NullTextResearch.Vae;
using NullTextResearch.Weights;

namespace NullTextResearch.Loading;

/// <summary>The names of our networks' weights in the original single-file checkpoints (CompVis, StabilityAI).</summary>
internal sealed class SingleFileKeys
{
    /// <summary>Prefix of the U-Net.</summary>
    public const string UNetPrefix = "model.diffusion_model.";

    /// <summary>Prefix of the U-Net's averaged weights.</summary>
    public const string EmaPrefix = "model_ema.";

    /// <summary>Prefix of the autoencoder.</summary>
    public const string VaePrefix = "first_stage_model.";

    /// <summary>Prefix of a text encoder in transformers' naming (1.x).</summary>
    public const string ClipPrefix = "cond_stage_model.transformer.";

    /// <summary>Prefix of a text encoder in OpenCLIP's naming (2.x).</summary>
    public const string OpenClipPrefix = "cond_stage_model.model.";

    private static readonly (string Ours, string Theirs)[] ResnetKeys =
    [
        ("norm1", "in_layers.0"),
        ("conv1", "in_layers.2"),
        ("time_emb_proj", "emb_layers.1"),
        ("norm2", "out_layers.0"),
        ("conv2", "out_layers.3"),
        ("conv_shortcut", "skip_connection"),
    ];

    private static readonly (string Ours, string Theirs)[] VaeAttention =
    [
        ("group_norm", "norm"),
        ("to_q", "q"),
        ("to_k", "k"),
        ("to_v", "v"),
        ("to_out.0", "proj_out"),
    ];

    // Our module path to theirs. A key is translated by its longest known path; the rest is spelled the same.
    private readonly Dictionary<string, string> _modules = new(StringComparer.Ordinal);

    private SingleFileKeys() { }

    /// <summary>Sources of the U-Net's keys.</summary>
    /// <param name="config">Its architecture: the original numbers blocks in order of appearance, so it decides the names.</param>
    /// <param name="ema">Whether to use the averaged weights, whose names have lost their dots.</param>
    public static Func<string, IReadOnlyList<KeySource>> UNet(UNetConfig config, bool ema)
    {
        SingleFileKeys keys = new();
        keys.Add("time_embedding.linear_1", "time_embed.0");
        keys.Add("time_embedding.linear_2", "time_embed.2");
        keys.Add("conv_in", "input_blocks.0.0");
        keys.Add("conv_norm_out", "out.0");
        keys.Add("conv_out", "out.2");
        int levels = config.BlockOutChannels.Count,
            block = 1;
        for (int level = 0; level < levels; level++)
        {
            for (int layer = 0; layer < config.LayersPerBlock; layer++, block++)
            {
                keys.Add($"down_blocks.{level}.resnets.{layer}", $"input_blocks.{block}.0", ResnetKeys);
                if (config.DownHasAttention[level])
                    keys.Add($"down_blocks.{level}.attentions.{layer}", $"input_blocks.{block}.1");
            }
            if (level < levels - 1)
                keys.Add($"down_blocks.{level}.downsamplers.0.conv", $"input_blocks.{block++}.0.op");
        }
        keys.Add("mid_block.resnets.0", "middle_block.0", ResnetKeys);
        keys.Add("mid_block.attentions.0", "middle_block.1");
        keys.Add("mid_block.resnets.1", "middle_block.2", ResnetKeys);
        block = 0;
        for (int level = 0; level < levels; level++)
        {
            bool attends = config.UpHasAttention[level];
            for (int layer = 0; layer <= config.LayersPerBlock; layer++, block++)
            {
                keys.Add($"up_blocks.{level}.resnets.{layer}", $"output_blocks.{block}.0", ResnetKeys);
                if (attends)
                    keys.Add($"up_blocks.{level}.attentions.{layer}", $"output_blocks.{block}.1");
            }
            // The upsampler is the last item of the level's last block, after the attention if there is one.
            if (level < levels - 1)
                keys.Add($"up_blocks.{level}.upsamplers.0.conv", $"output_blocks.{block - 1}.{(attends ? 2 : 1)}.conv");
        }
        return key =>
            [
                new KeySource(
                    ema ? EmaPrefix + ("diffusion_model." + keys.Translate(key)).Replace(".", "", StringComparison.Ordinal) : UNetPrefix + keys.Translate(key)
                ),
            ];
    }

    /// <summary>Sources of the autoencoder's keys.</summary>
    /// <param name="config">Its architecture.</param>
    public static Func<string, IReadOnlyList<KeySource>> Vae(VaeConfig config)
    {
        SingleFileKeys keys = new();
        keys.Add("quant_conv", "quant_conv");
        keys.Add("post_quant_conv", "post_quant_conv");
        int levels = config.BlockOutChannels.Count;
        foreach (string half in (string[])["encoder", "decoder"])
        {
            keys.Add($"{half}.conv_in", $"{half}.conv_in");
            keys.Add($"{half}.conv_out", $"{half}.conv_out");
            keys.Add($"{half}.conv_norm_out", $"{half}.norm_out");
            keys.Add($"{half}.mid_block.resnets.0", $"{half}.mid.block_1");
            keys.Add($"{half}.mid_block.resnets.1", $"{half}.mid.block_2");
            keys.Add($"{half}.mid_block.attentions.0", $"{half}.mid.attn_1", VaeAttention);
        }
        for (int level = 0; level < levels; level++)
        {
            // The original decoder numbers its levels by resolution, so its blocks run backwards.
            int mirrored = levels - 1 - level;
            for (int layer = 0; layer < config.LayersPerBlock; layer++)
                Resnet($"encoder.down_blocks.{level}.resnets.{layer}", $"encoder.down.{level}.block.{layer}");
            for (int layer = 0; layer <= config.LayersPerBlock; layer++)
                Resnet($"decoder.up_blocks.{level}.resnets.{layer}", $"decoder.up.{mirrored}.block.{layer}");
            keys.Add($"encoder.down_blocks.{level}.downsamplers.0.conv", $"encoder.down.{level}.downsample.conv");
            keys.Add($"decoder.up_blocks.{level}.upsamplers.0.conv", $"decoder.up.{mirrored}.upsample.conv");
        }
        return key => [new KeySource(VaePrefix + keys.Translate(key)) { IgnoreUnitAxes = key.Contains(".attentions.", StringComparison.Ordinal) }];

        void Resnet(string ours, string theirs)
        {
            keys.Add(ours, theirs);
            keys.Add($"{ours}.conv_shortcut", $"{theirs}.nin_shortcut");
        }
    }

    /// <summary>Sources of the text encoder's keys in transformers' naming, newer and older.</summary>
    public static IReadOnlyList<KeySource> Clip(string key) => [new KeySource(ClipPrefix + key), new KeySource(ClipPrefix + CheckpointKeys.OlderTextKey(key))];

    /// <summary>Source of the text encoder's keys in OpenCLIP's naming, which stacks the query, key and value projections.</summary>
    public static IReadOnlyList<KeySource> OpenClip(string key)
    {
        const string Layers = "text_model.encoder.layers.";
        if (!key.StartsWith(Layers, StringComparison.Ordinal))
        {
            string whole = key switch
            {
                "text_model.embeddings.token_embedding.weight" => "token_embedding.weight",
                "text_model.embeddings.position_embedding.weight" => "positional_embedding",
                "text_model.final_layer_norm.weight" => "ln_final.weight",
                "text_model.final_layer_norm.bias" => "ln_final.bias",
                _ => key,
            };
            return [new KeySource(OpenClipPrefix + whole)];
        }
        string[] parts = key[Layers.Length..].Split('.', 2);
        string block = $"{OpenClipPrefix}transformer.resblocks.{parts[0]}.",
            rest = parts[1];
        foreach ((int part, string name) in ((string[])["q", "k", "v"]).Index())
        {
            string projection = $"self_attn.{name}_proj.";
            if (rest.StartsWith(projection, StringComparison.Ordinal))
                return [new KeySource($"{block}attn.in_proj_{rest[projection.Length..]}") { Part = part, Parts = 3 }];
        }
        foreach (
            (string ours, string theirs) in ((string, string)[])
                [
                    ("self_attn.out_proj.", "attn.out_proj."),
                    ("layer_norm1.", "ln_1."),
                    ("layer_norm2.", "ln_2."),
                    ("mlp.fc1.", "mlp.c_fc."),
                    ("mlp.fc2.", "mlp.c_proj."),
                ]
        )
        {
            if (rest.StartsWith(ours, StringComparison.Ordinal))
                return [new KeySource(block + theirs + rest[ours.Length..])];
        }
        return [new KeySource(block + rest)];
    }

    private void Add(string ours, string theirs) => _modules.Add(ours, theirs);

    private void Add(string ours, string theirs, (string Ours, string Theirs)[] items)
    {
        foreach ((string inner, string original) in items)
            Add($"{ours}.{inner}", $"{theirs}.{original}");
    }

    private string Translate(string key)
    {
        for (int dot = key.LastIndexOf('.'); dot > 0; dot = key.LastIndexOf('.', dot - 1))
        {
            if (_modules.TryGetValue(key[..dot], out string? module))
                return module + key[dot..];
        }
        throw new ModelFormatException($"The weight '{key}' has no counterpart in the original single-file layout.");
    }
}
