using NullTextResearch.Vae;

namespace NullTextResearch.Planning;

/// <summary>Plays <see cref="AutoencoderKL.Encode"/> and <see cref="AutoencoderKL.Decode"/> on a tape; a test compares them with the networks.</summary>
internal sealed class AutoencoderCourse(VaeConfig config, NetworkTape tape)
{
    /// <summary>Pixels [rows, 3, height, width] to the posterior's parameters.</summary>
    public Planned Encode(long rows, long height, long width)
    {
        IReadOnlyList<int> channels = config.BlockOutChannels;
        return tape.Scoped(() =>
        {
            Planned x = tape.Convolution(NetworkTape.Given(rows, config.ImageChannels, height, width), "encoder.conv_in", channels[0]);
            for (int i = 0; i < channels.Count; i++)
            {
                string at = $"encoder.down_blocks.{i}";
                int to = channels[i];
                for (int j = 0; j < config.LayersPerBlock; j++)
                    x = Residual(x, $"{at}.resnets.{j}", to);
                if (i == channels.Count - 1)
                    continue;
                // Padded by one row and one column.
                x = tape.Then(x, t => tape.Copy(t, t.Channels, t.Height + 1, t.Width + 1));
                x = tape.Then(x, t => tape.Convolution(t, $"{at}.downsamplers.0.conv", to, stride: 2, padding: 0));
            }
            x = End(tape.Then(x, t => Middle(t, "encoder.mid_block")), "encoder.conv_out", 2 * config.LatentChannels);
            return tape.Convolution(x, "quant_conv", 2L * config.LatentChannels, kernel: 1, padding: 0);
        });
    }

    /// <summary>Latents [rows, 4, height, width] to pixels.</summary>
    public Planned Decode(long rows, long height, long width)
    {
        int[] channels = [.. config.BlockOutChannels.Reverse()];
        return tape.Scoped(() =>
        {
            Planned x = tape.Convolution(
                NetworkTape.Given(rows, config.LatentChannels, height, width),
                "post_quant_conv",
                config.LatentChannels,
                kernel: 1,
                padding: 0
            );
            x = tape.Then(tape.Convolution(x, "decoder.conv_in", channels[0]), t => Middle(t, "decoder.mid_block"));
            for (int i = 0; i < channels.Length; i++)
            {
                string at = $"decoder.up_blocks.{i}";
                for (int j = 0; j <= config.LayersPerBlock; j++)
                    x = Residual(x, $"{at}.resnets.{j}", channels[i]);
                if (i == channels.Length - 1)
                    continue;
                x = tape.Then(
                    x,
                    t => tape.Scoped(() => tape.Convolution(tape.Copy(t, t.Channels, 2 * t.Height, 2 * t.Width), $"{at}.upsamplers.0.conv", t.Channels))
                );
            }
            return End(x, "decoder.conv_out", config.ImageChannels);
        });
    }

    private Planned Residual(Planned x, string at, int to) => tape.Then(x, t => Blocks.Residual(tape, t, null, at, to));

    private Planned End(Planned x, string at, long to) => tape.Then(tape.Then(tape.Then(x, tape.Function), tape.Function), t => tape.Convolution(t, at, to));

    private Planned Middle(Planned x, string at) =>
        Residual(
            tape.Then(Blocks.Residual(tape, x, null, $"{at}.resnets.0", config.BlockOutChannels[^1]), t => Attention(t, $"{at}.attentions.0")),
            $"{at}.resnets.1",
            config.BlockOutChannels[^1]
        );

    private Planned Attention(Planned map, string at) =>
        tape.Scoped(() =>
        {
            Planned t = tape.Function(map);
            Planned query = tape.Linear(t, $"{at}.to_q", map.Channels),
                key = tape.Linear(t, $"{at}.to_k", map.Channels),
                value = tape.Linear(t, $"{at}.to_v", map.Channels);
            Planned attended = tape.Linear(tape.Attention(query, key, value, at, self: true, heads: 1, makesMaps: false), $"{at}.to_out.0", map.Channels);
            return tape.Add(tape.Copy(attended, map.Channels, map.Height, map.Width), map);
        });
}
