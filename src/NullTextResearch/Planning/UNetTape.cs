using NullTextResearch.UNet;

namespace NullTextResearch.Planning;

/// <summary>Tells a tape the course of <see cref="UNet2DConditionModel.Forward"/>; a test holds the two side by side.</summary>
/// <param name="config">Architecture.</param>
/// <param name="tape">What is told.</param>
/// <param name="tokens">Text tokens.</param>
/// <param name="makesMaps">Whether attention maps are made explicitly.</param>
internal sealed class UNetTape(UNetConfig config, NetworkTape tape, int tokens, bool makesMaps)
{
    /// <summary>One pass.</summary>
    /// <param name="rows">Rows of the batch.</param>
    /// <param name="height">Height of the latents.</param>
    /// <param name="width">Width of the latents.</param>
    /// <returns>The noise prediction, in the scope around.</returns>
    public Planned Run(long rows, long height, long width)
    {
        IReadOnlyList<int> channels = config.BlockOutChannels;
        int levels = channels.Count;
        Planned latents = NetworkTape.Given(rows, config.InChannels, height, width);
        Planned text = NetworkTape.Given(rows, config.CrossAttentionDim, 1, tokens, needsGradient: true);
        return tape.Scoped(() =>
        {
            Planned sinusoids = NetworkTape.Given(rows, channels[0], 1, 1);
            Planned time = tape.Linear(tape.Function(tape.Linear(sinusoids, "time_embedding.linear_1", 4L * channels[0])), "time_embedding.linear_2", 4L * channels[0]);
            time = tape.Function(time);
            Planned x = tape.Convolution(latents, "conv_in", channels[0]);
            Stack<Planned> skips = new([x]);
            for (int level = 0; level < levels; level++)
            {
                string at = $"down_blocks.{level}";
                for (int j = 0; j < config.LayersPerBlock; j++)
                {
                    x = Residual(x, time, $"{at}.resnets.{j}", channels[level]);
                    if (config.DownHasAttention[level]) x = Transformer(x, text, $"{at}.attentions.{j}", config.Heads[level]);
                    skips.Push(x);
                }
                if (level == levels - 1) continue;
                x = tape.Convolution(x, $"{at}.downsamplers.0.conv", channels[level], stride: 2, padding: config.DownsamplePadding);
                skips.Push(x);
            }
            x = Residual(x, time, "mid_block.resnets.0", channels[^1]);
            x = Transformer(x, text, "mid_block.attentions.0", config.Heads[^1]);
            x = Residual(x, time, "mid_block.resnets.1", channels[^1]);
            for (int i = 0; i < levels; i++)
            {
                string at = $"up_blocks.{i}";
                int level = levels - 1 - i;
                for (int j = 0; j <= config.LayersPerBlock; j++)
                {
                    x = Residual(tape.Concatenate(x, skips.Pop()), time, $"{at}.resnets.{j}", channels[level]);
                    if (config.UpHasAttention[i]) x = Transformer(x, text, $"{at}.attentions.{j}", config.Heads[level]);
                }
                if (i == levels - 1) continue;
                Planned small = x, next = skips.Peek();
                x = tape.Scoped(() => tape.Convolution(tape.Copy(small, small.Channels, next.Height, next.Width), $"{at}.upsamplers.0.conv", small.Channels));
            }
            return tape.Convolution(tape.Function(tape.Function(x)), "conv_out", config.OutChannels);
        });
    }

    private Planned Residual(Planned x, Planned time, string at, int to) => Blocks.Residual(tape, x, time, at, to);

    private Planned Transformer(Planned x, Planned text, string at, int heads) => tape.Scoped(() =>
    {
        string block = $"{at}.transformer_blocks.0";
        Planned t = tape.Function(x);
        if (!config.UseLinearProjection) t = tape.Convolution(t, $"{at}.proj_in", x.Channels, kernel: 1, padding: 0);
        t = tape.Copy(t, t.Channels, t.Height, t.Width);
        if (config.UseLinearProjection) t = tape.Linear(t, $"{at}.proj_in", x.Channels);
        Planned self = tape.Function(t);
        t = tape.Add(t, Attend(self, self, $"{block}.attn1", heads, self: true));
        t = tape.Add(t, Attend(tape.Function(t), text, $"{block}.attn2", heads, self: false));
        Planned gated = tape.Gate(tape.Linear(tape.Function(t), $"{block}.ff.net.0.proj", 8 * t.Channels));
        t = tape.Add(t, tape.Linear(gated, $"{block}.ff.net.2", t.Channels));
        if (config.UseLinearProjection) t = tape.Linear(t, $"{at}.proj_out", x.Channels);
        else t = tape.Convolution(tape.Copy(t, t.Channels, t.Height, t.Width), $"{at}.proj_out", x.Channels, kernel: 1, padding: 0);
        return tape.Add(t, x);
    });

    private Planned Attend(Planned x, Planned context, string at, int heads, bool self)
    {
        Planned query = tape.Linear(x, $"{at}.to_q", x.Channels);
        Planned key = tape.Linear(context, $"{at}.to_k", x.Channels), value = tape.Linear(context, $"{at}.to_v", x.Channels);
        return tape.Linear(tape.Attention(query, key, value, at, self, heads, makesMaps), $"{at}.to_out.0", x.Channels);
    }
}

/// <summary>Parts that several networks share.</summary>
internal static class Blocks
{
    public static Planned Residual(NetworkTape tape, Planned x, Planned? time, string at, int to) => tape.Scoped(() =>
    {
        Planned h = tape.Convolution(tape.Function(tape.Function(x)), $"{at}.conv1", to);
        if (time is not null)
        {
            tape.Linear(time, $"{at}.time_emb_proj", to);
            h = tape.Pointwise([h], savesInputs: false);
        }
        h = tape.Convolution(tape.Function(tape.Function(h)), $"{at}.conv2", to);
        return tape.Add(h, x.Channels == to ? x : tape.Convolution(x, $"{at}.conv_shortcut", to, kernel: 1, padding: 0));
    });
}
