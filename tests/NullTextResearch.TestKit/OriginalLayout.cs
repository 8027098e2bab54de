namespace NullTextResearch.TestKit;

/// <summary>One tensor of an original single-file checkpoint.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Shape">Its shape there.</param>
/// <param name="Keys">
/// The diffusers and transformers keys of what it holds, stacked along the first axis: one, three for a fused projection, none for what a model here
/// does not use.
/// </param>
public sealed record OriginalTensor(string Name, long[] Shape, params IReadOnlyList<string> Keys);

/// <summary>How the original code names a text encoder.</summary>
public enum OriginalText
{
    /// <summary>cond_stage_model.transformer.text_model.*</summary>
    Clip,

    /// <summary>cond_stage_model.transformer.* (before transformers had an outer module).</summary>
    OlderClip,

    /// <summary>cond_stage_model.model.*, query, key and value in one tensor.</summary>
    OpenClip,
}

/// <summary>
/// The tensors of an original checkpoint, from the original code's side: modules are appended to lists in the order in which its constructors make
/// them, and what they are is said beside. Deliberately not the library's way, which computes names from places, so that each checks the other.
/// </summary>
public sealed record OriginalModel
{
    public int Channels { get; init; } = 320;

    public int[] Multipliers { get; init; } = [1, 2, 4, 4];

    public int ResidualBlocks { get; init; } = 2;

    /// <summary>Downsampling factors at which there is attention.</summary>
    public int[] AttentionAt { get; init; } = [1, 2, 4];

    public int Context { get; init; } = 768;

    public bool LinearProjections { get; init; }

    public int InChannels { get; init; } = 4;

    public int VaeChannels { get; init; } = 128;

    public int[] VaeMultipliers { get; init; } = [1, 2, 4, 4];

    public int VaeResidualBlocks { get; init; } = 2;

    public OriginalText TextNaming { get; init; }

    public int Vocabulary { get; init; } = 49408;

    /// <summary>Layers in the file.</summary>
    public int TextLayers { get; init; } = 12;

    /// <summary>Layers that a model uses.</summary>
    public int UsedTextLayers { get; init; } = 12;

    public int ContextLength { get; init; } = 77;

    public static OriginalModel V1 { get; } = new();

    public static OriginalModel V2 { get; } =
        new()
        {
            Context = 1024,
            LinearProjections = true,
            TextNaming = OriginalText.OpenClip,
            TextLayers = 24,
            UsedTextLayers = 23,
        };

    /// <summary>1.x, small: three levels, attention at two of them.</summary>
    public static OriginalModel TinyV1 { get; } =
        new()
        {
            Channels = 64,
            Multipliers = [1, 2, 2],
            AttentionAt = [1, 2],
            Context = 64,
            VaeChannels = 32,
            VaeMultipliers = [1, 1, 2, 2],
            TextLayers = 2,
            UsedTextLayers = 2,
            Vocabulary = 0,
        };

    /// <summary>2.x, small.</summary>
    public static OriginalModel TinyV2 { get; } =
        TinyV1 with
        {
            Context = 128,
            LinearProjections = true,
            TextNaming = OriginalText.OpenClip,
            TextLayers = 3,
            UsedTextLayers = 2,
        };

    public IReadOnlyList<OriginalTensor> UNet()
    {
        const string At = "model.diffusion_model.";
        List<OriginalTensor> all = [];
        int time = 4 * Channels,
            now = Channels,
            factor = 1,
            blocks = 1;
        Pair("time_embed.0", "time_embedding.linear_1", [time, Channels]);
        Pair("time_embed.2", "time_embedding.linear_2", [time, time]);
        Pair("input_blocks.0.0", "conv_in", [Channels, InChannels, 3, 3]);
        Stack<int> skips = new([Channels]);
        for (int level = 0; level < Multipliers.Length; level++)
        {
            for (int i = 0; i < ResidualBlocks; i++)
            {
                int to = Multipliers[level] * Channels;
                Residual($"input_blocks.{blocks}.0", $"down_blocks.{level}.resnets.{i}", now, to);
                now = to;
                if (AttentionAt.Contains(factor))
                    Transformer($"input_blocks.{blocks}.1", $"down_blocks.{level}.attentions.{i}", now);
                blocks++;
                skips.Push(now);
            }
            if (level == Multipliers.Length - 1)
                continue;
            Pair($"input_blocks.{blocks}.0.op", $"down_blocks.{level}.downsamplers.0.conv", [now, now, 3, 3]);
            blocks++;
            skips.Push(now);
            factor *= 2;
        }
        Residual("middle_block.0", "mid_block.resnets.0", now, now);
        Transformer("middle_block.1", "mid_block.attentions.0", now);
        Residual("middle_block.2", "mid_block.resnets.1", now, now);
        blocks = 0;
        for (int level = Multipliers.Length - 1; level >= 0; level--)
        {
            string up = $"up_blocks.{Multipliers.Length - 1 - level}";
            for (int i = 0; i <= ResidualBlocks; i++)
            {
                int item = 0,
                    to = Multipliers[level] * Channels;
                Residual($"output_blocks.{blocks}.{item++}", $"{up}.resnets.{i}", now + skips.Pop(), to);
                now = to;
                if (AttentionAt.Contains(factor))
                    Transformer($"output_blocks.{blocks}.{item++}", $"{up}.attentions.{i}", now);
                if (level > 0 && i == ResidualBlocks)
                    Pair($"output_blocks.{blocks}.{item}.conv", $"{up}.upsamplers.0.conv", [now, now, 3, 3]);
                blocks++;
            }
            factor /= 2;
        }
        Norm("out.0", "conv_norm_out", now);
        Pair("out.2", "conv_out", [4, Channels, 3, 3]);
        return all;

        void Pair(string theirs, string ours, long[] shape)
        {
            all.Add(new OriginalTensor($"{At}{theirs}.weight", shape, $"{ours}.weight"));
            all.Add(new OriginalTensor($"{At}{theirs}.bias", [shape[0]], $"{ours}.bias"));
        }

        void Norm(string theirs, string ours, int channels) => Pair(theirs, ours, [channels]);

        void Residual(string theirs, string ours, int from, int to)
        {
            Norm($"{theirs}.in_layers.0", $"{ours}.norm1", from);
            Pair($"{theirs}.in_layers.2", $"{ours}.conv1", [to, from, 3, 3]);
            Pair($"{theirs}.emb_layers.1", $"{ours}.time_emb_proj", [to, time]);
            Norm($"{theirs}.out_layers.0", $"{ours}.norm2", to);
            Pair($"{theirs}.out_layers.3", $"{ours}.conv2", [to, to, 3, 3]);
            if (from != to)
                Pair($"{theirs}.skip_connection", $"{ours}.conv_shortcut", [to, from, 1, 1]);
        }

        void Transformer(string theirs, string ours, int channels)
        {
            long[] projection = LinearProjections ? [channels, channels] : [channels, channels, 1, 1];
            Norm($"{theirs}.norm", $"{ours}.norm", channels);
            Pair($"{theirs}.proj_in", $"{ours}.proj_in", projection);
            string a = $"{theirs}.transformer_blocks.0",
                b = $"{ours}.transformer_blocks.0";
            foreach ((string attention, int width) in ((string, int)[])[("attn1", channels), ("attn2", Context)])
            {
                foreach ((string name, long from) in ((string, long)[])[("to_q", channels), ("to_k", width), ("to_v", width)])
                    all.Add(new OriginalTensor($"{At}{a}.{attention}.{name}.weight", [channels, from], $"{b}.{attention}.{name}.weight"));
                Pair($"{a}.{attention}.to_out.0", $"{b}.{attention}.to_out.0", [channels, channels]);
            }
            Pair($"{a}.ff.net.0.proj", $"{b}.ff.net.0.proj", [8 * channels, channels]);
            Pair($"{a}.ff.net.2", $"{b}.ff.net.2", [channels, 4 * channels]);
            foreach (string norm in (string[])["norm1", "norm2", "norm3"])
                Norm($"{a}.{norm}", $"{b}.{norm}", channels);
            Pair($"{theirs}.proj_out", $"{ours}.proj_out", projection);
        }
    }

    public IReadOnlyList<OriginalTensor> Vae()
    {
        const string At = "first_stage_model.";
        List<OriginalTensor> all = [];
        int levels = VaeMultipliers.Length,
            top = VaeChannels * VaeMultipliers[^1];
        Pair("encoder.conv_in", "encoder.conv_in", [VaeChannels, 3, 3, 3]);
        int now = VaeChannels;
        for (int level = 0; level < levels; level++)
        {
            for (int i = 0; i < VaeResidualBlocks; i++)
            {
                Residual($"encoder.down.{level}.block.{i}", $"encoder.down_blocks.{level}.resnets.{i}", now, VaeChannels * VaeMultipliers[level]);
                now = VaeChannels * VaeMultipliers[level];
            }
            if (level < levels - 1)
                Pair($"encoder.down.{level}.downsample.conv", $"encoder.down_blocks.{level}.downsamplers.0.conv", [now, now, 3, 3]);
        }
        Middle("encoder");
        Pair("encoder.norm_out", "encoder.conv_norm_out", [top]);
        Pair("encoder.conv_out", "encoder.conv_out", [8, top, 3, 3]);
        Pair("decoder.conv_in", "decoder.conv_in", [top, 4, 3, 3]);
        Middle("decoder");
        now = top;
        for (int level = levels - 1; level >= 0; level--)
        {
            string up = $"decoder.up_blocks.{levels - 1 - level}";
            for (int i = 0; i <= VaeResidualBlocks; i++)
            {
                Residual($"decoder.up.{level}.block.{i}", $"{up}.resnets.{i}", now, VaeChannels * VaeMultipliers[level]);
                now = VaeChannels * VaeMultipliers[level];
            }
            if (level > 0)
                Pair($"decoder.up.{level}.upsample.conv", $"{up}.upsamplers.0.conv", [now, now, 3, 3]);
        }
        Pair("decoder.norm_out", "decoder.conv_norm_out", [now]);
        Pair("decoder.conv_out", "decoder.conv_out", [3, now, 3, 3]);
        Pair("quant_conv", "quant_conv", [8, 8, 1, 1]);
        Pair("post_quant_conv", "post_quant_conv", [4, 4, 1, 1]);
        return all;

        void Pair(string theirs, string ours, long[] shape)
        {
            all.Add(new OriginalTensor($"{At}{theirs}.weight", shape, $"{ours}.weight"));
            all.Add(new OriginalTensor($"{At}{theirs}.bias", [shape[0]], $"{ours}.bias"));
        }

        void Residual(string theirs, string ours, int from, int to)
        {
            Pair($"{theirs}.norm1", $"{ours}.norm1", [from]);
            Pair($"{theirs}.conv1", $"{ours}.conv1", [to, from, 3, 3]);
            Pair($"{theirs}.norm2", $"{ours}.norm2", [to]);
            Pair($"{theirs}.conv2", $"{ours}.conv2", [to, to, 3, 3]);
            if (from != to)
                Pair($"{theirs}.nin_shortcut", $"{ours}.conv_shortcut", [to, from, 1, 1]);
        }

        void Middle(string half)
        {
            Residual($"{half}.mid.block_1", $"{half}.mid_block.resnets.0", top, top);
            string a = $"{half}.mid.attn_1",
                b = $"{half}.mid_block.attentions.0";
            Pair($"{a}.norm", $"{b}.group_norm", [top]);
            foreach ((string theirs, string ours) in ((string, string)[])[("q", "to_q"), ("k", "to_k"), ("v", "to_v"), ("proj_out", "to_out.0")])
                Pair($"{a}.{theirs}", $"{b}.{ours}", [top, top, 1, 1]);
            Residual($"{half}.mid.block_2", $"{half}.mid_block.resnets.1", top, top);
        }
    }

    public IReadOnlyList<OriginalTensor> Text()
    {
        List<OriginalTensor> all = [];
        long d = Context;
        if (TextNaming == OriginalText.OpenClip)
        {
            const string At = "cond_stage_model.model.";
            all.Add(new OriginalTensor($"{At}positional_embedding", [ContextLength, d], "text_model.embeddings.position_embedding.weight"));
            all.Add(new OriginalTensor($"{At}text_projection", [d, d]));
            all.Add(new OriginalTensor($"{At}logit_scale", []));
            all.Add(new OriginalTensor($"{At}token_embedding.weight", [Vocabulary, d], "text_model.embeddings.token_embedding.weight"));
            for (int i = 0; i < TextLayers; i++)
            {
                string theirs = $"{At}transformer.resblocks.{i}",
                    ours = $"text_model.encoder.layers.{i}";
                Pair($"{theirs}.ln_1", $"{ours}.layer_norm1", i, [d]);
                foreach ((string end, long[] shape) in ((string, long[])[])[("weight", [3 * d, d]), ("bias", [3 * d])])
                    all.Add(
                        new OriginalTensor(
                            $"{theirs}.attn.in_proj_{end}",
                            shape,
                            i < UsedTextLayers ? [.. ((string[])["q", "k", "v"]).Select(p => $"{ours}.self_attn.{p}_proj.{end}")] : []
                        )
                    );
                Pair($"{theirs}.attn.out_proj", $"{ours}.self_attn.out_proj", i, [d, d]);
                Pair($"{theirs}.ln_2", $"{ours}.layer_norm2", i, [d]);
                Pair($"{theirs}.mlp.c_fc", $"{ours}.mlp.fc1", i, [4 * d, d]);
                Pair($"{theirs}.mlp.c_proj", $"{ours}.mlp.fc2", i, [d, 4 * d]);
            }
            Pair($"{At}ln_final", "text_model.final_layer_norm", 0, [d]);
            return all;
        }

        string clip = TextNaming == OriginalText.Clip ? "cond_stage_model.transformer.text_model." : "cond_stage_model.transformer.";
        all.Add(new OriginalTensor($"{clip}embeddings.position_ids", [1, ContextLength]));
        foreach ((string name, long rows) in ((string, long)[])[("token_embedding", Vocabulary), ("position_embedding", ContextLength)])
            all.Add(new OriginalTensor($"{clip}embeddings.{name}.weight", [rows, d], $"text_model.embeddings.{name}.weight"));
        for (int i = 0; i < TextLayers; i++)
        {
            string at = $"encoder.layers.{i}";
            foreach (
                (string name, long[] shape) in ((string, long[])[])
                    [
                        ("self_attn.k_proj", [d, d]),
                        ("self_attn.v_proj", [d, d]),
                        ("self_attn.q_proj", [d, d]),
                        ("self_attn.out_proj", [d, d]),
                        ("layer_norm1", [d]),
                        ("mlp.fc1", [4 * d, d]),
                        ("mlp.fc2", [d, 4 * d]),
                        ("layer_norm2", [d]),
                    ]
            )
                Pair($"{clip}{at}.{name}", $"text_model.{at}.{name}", i, shape);
        }
        Pair($"{clip}final_layer_norm", "text_model.final_layer_norm", 0, [d]);
        return all;

        void Pair(string theirs, string ours, int layer, long[] shape)
        {
            bool used = layer < UsedTextLayers;
            all.Add(new OriginalTensor($"{theirs}.weight", shape, used ? [$"{ours}.weight"] : []));
            all.Add(new OriginalTensor($"{theirs}.bias", [shape[0]], used ? [$"{ours}.bias"] : []));
        }
    }

    /// <summary>What training leaves in the published files.</summary>
    public static IReadOnlyList<OriginalTensor> Leftovers { get; } =
    [
        .. (
            (string[])
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
                ]
        ).Select(n => new OriginalTensor(n, [1000])),
    ];

    /// <summary>Everything.</summary>
    public IReadOnlyList<OriginalTensor> All() => [.. UNet(), .. Vae(), .. Text(), .. Leftovers];
}
