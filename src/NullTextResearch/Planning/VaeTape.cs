using NullTextResearch.Vae;

namespace NullTextResearch.Planning;

/// <summary>Tells a tape the course of <see cref="AutoencoderKL.Encode"/> and <see cref="AutoencoderKL.Decode"/>; a test holds them side by side.</summary>
internal sealed class VaeTape(VaeConfig config, NetworkTape tape)
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
                for (int j = 0; j < config.LayersPerBlock; j++) x = Blocks.Residual(tape, x, null, $"{at}.resnets.{j}", channels[i]);
                if (i == channels.Count - 1) continue;
                // Padded by one row and one column.
                x = tape.Convolution(tape.Copy(x, x.Channels, x.Height + 1, x.Width + 1), $"{at}.downsamplers.0.conv", channels[i], stride: 2, padding: 0);
            }
            x = Middle(x, "encoder.mid_block");
            x = tape.Convolution(tape.Function(tape.Function(x)), "encoder.conv_out", 2L * config.LatentChannels);
            return tape.Convolution(x, "quant_conv", 2L * config.LatentChannels, kernel: 1, padding: 0);
        });
    }

    /// <summary>Latents [rows, 4, height, width] to pixels.</summary>
    public Planned Decode(long rows, long height, long width)
    {
        int[] channels = [.. config.BlockOutChannels.Reverse()];
        return tape.Scoped(() =>
        {
            Planned x = tape.Convolution(NetworkTape.Given(rows, config.LatentChannels, height, width), "post_quant_conv", config.LatentChannels, kernel: 1, padding: 0);
            x = Middle(tape.Convolution(x, "decoder.conv_in", channels[0]), "decoder.mid_block");
            for (int i = 0; i < channels.Length; i++)
            {
                string at = $"decoder.up_blocks.{i}";
                for (int j = 0; j <= config.LayersPerBlock; j++) x = Blocks.Residual(tape, x, null, $"{at}.resnets.{j}", channels[i]);
                if (i == channels.Length - 1) continue;
                Planned small = x;
                x = tape.Scoped(() => tape.Convolution(tape.Copy(small, small.Channels, 2 * small.Height, 2 * small.Width), $"{at}.upsamplers.0.conv", small.Channels));
            }
            return tape.Convolution(tape.Function(tape.Function(x)), "decoder.conv_out", config.ImageChannels);
        });
    }

    private Planned Middle(Planned x, string at)
    {
        int channels = config.BlockOutChannels[^1];
        x = Blocks.Residual(tape, x, null, $"{at}.resnets.0", channels);
        Planned map = x;
        x = tape.Scoped(() =>
        {
            string attention = $"{at}.attentions.0";
            Planned t = tape.Function(map);
            Planned query = tape.Linear(t, $"{attention}.to_q", channels), key = tape.Linear(t, $"{attention}.to_k", channels), value = tape.Linear(t, $"{attention}.to_v", channels);
            Planned attended = tape.Linear(tape.Attention(query, key, value, attention, self: true, heads: 1, makesMaps: false), $"{attention}.to_out.0", channels);
            return tape.Add(tape.Copy(attended, channels, map.Height, map.Width), map);
        });
        return Blocks.Residual(tape, x, null, $"{at}.resnets.1", channels);
    }
}
