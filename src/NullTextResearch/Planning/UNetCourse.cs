using NullTextResearch.UNet;

namespace NullTextResearch.Planning;

/// <summary>Plays <see cref="UNet2DConditionModel.Forward"/> on a tape, segment by segment; a test compares it with the network.</summary>
internal sealed class UNetCourse
{
    private readonly UNetConfig _config;
    private readonly NetworkTape _tape;
    private readonly int _tokens;
    private readonly bool _makesMaps;
    private readonly List<Segment> _segments = [];

    /// <summary>Lays out the segments.</summary>
    /// <param name="config">Architecture.</param>
    /// <param name="tape">Receives the operations.</param>
    /// <param name="tokens">Text tokens.</param>
    /// <param name="makesMaps">Whether attention maps are made explicitly.</param>
    public UNetCourse(UNetConfig config, NetworkTape tape, int tokens, bool makesMaps)
    {
        (_config, _tape, _tokens, _makesMaps) = (config, tape, tokens, makesMaps);
        IReadOnlyList<int> channels = config.BlockOutChannels;
        int levels = channels.Count;
        _segments.Add(new(false, true, input => tape.Convolution(input.X, "conv_in", channels[0])));
        for (int i = 0; i < levels; i++)
        {
            int level = i;
            string at = $"down_blocks.{i}";
            for (int j = 0; j < config.LayersPerBlock; j++)
            {
                int layer = j;
                _segments.Add(
                    new(
                        false,
                        true,
                        input =>
                            tape.Scoped(() =>
                                Transformed(
                                    Residual(input.X, input, $"{at}.resnets.{layer}", channels[level]),
                                    input,
                                    config.DownHasAttention[level],
                                    $"{at}.attentions.{layer}",
                                    level
                                )
                            )
                    )
                );
            }
            if (i < levels - 1)
                _segments.Add(
                    new(
                        false,
                        true,
                        input => tape.Convolution(input.X, $"{at}.downsamplers.0.conv", channels[level], stride: 2, padding: config.DownsamplePadding)
                    )
                );
        }
        _segments.Add(
            new(
                false,
                false,
                input =>
                    tape.Scoped(() =>
                        Residual(
                            Transformed(Residual(input.X, input, "mid_block.resnets.0", channels[^1]), input, true, "mid_block.attentions.0", levels - 1),
                            input,
                            "mid_block.resnets.1",
                            channels[^1]
                        )
                    )
            )
        );
        for (int i = 0; i < levels; i++)
        {
            int block = i,
                level = levels - 1 - i;
            string at = $"up_blocks.{i}";
            for (int j = 0; j <= config.LayersPerBlock; j++)
            {
                int layer = j;
                _segments.Add(
                    new(
                        true,
                        false,
                        input =>
                            tape.Scoped(() =>
                                Transformed(
                                    Residual(tape.Concatenate(input.X, input.Skip!), input, $"{at}.resnets.{layer}", channels[level]),
                                    input,
                                    config.UpHasAttention[block],
                                    $"{at}.attentions.{layer}",
                                    level
                                )
                            )
                    )
                );
            }
            if (i == levels - 1)
                continue;
            _segments.Add(
                new(
                    false,
                    false,
                    input =>
                        tape.Scoped(() =>
                            tape.Convolution(
                                tape.Copy(input.X, input.X.Channels, input.NextSkip!.Height, input.NextSkip.Width),
                                $"{at}.upsamplers.0.conv",
                                input.X.Channels
                            )
                        )
                )
            );
        }
        _segments.Add(new(false, false, input => tape.Scoped(() => tape.Convolution(tape.Function(tape.Function(input.X)), "conv_out", config.OutChannels))));
    }

    /// <summary>One pass; recorded for a backward pass if the tape has gradients on.</summary>
    /// <param name="rows">Rows of the batch.</param>
    /// <param name="height">Height of the latents.</param>
    /// <param name="width">Width of the latents.</param>
    /// <returns>The noise prediction, in the enclosing scope.</returns>
    public Planned Run(long rows, long height, long width) => _tape.Scoped(() => Run(Start(rows, height, width), null));

    /// <summary>A pass without gradients that keeps what each segment gets, then the backward pass, one segment at a time.</summary>
    /// <param name="rows">Rows that go through the network together.</param>
    /// <param name="passes">Number of forward passes, one after the other, before the backward pass begins.</param>
    /// <param name="height">Height of the latents.</param>
    /// <param name="width">Width of the latents.</param>
    public void RunInSegments(long rows, int passes, long height, long width)
    {
        _tape.Scoped(() =>
        {
            List<Input[]> kept = [];
            Planned last = NetworkTape.Given(0, 0, 0, 0);
            for (int pass = 0; pass < passes; pass++)
            {
                Input[] inputs = new Input[_segments.Count];
                _tape.Gradients = false;
                last = Run(Start(rows, height, width), inputs);
                kept.Add(inputs);
            }
            _tape.Gradients = true;
            foreach (Input[] inputs in kept)
                BackInSegments(inputs);
            return last;
        });
    }

    private void BackInSegments(Input[] inputs)
    {
        // Gradients of skip connections wait for their segment's turn.
        Stack<Planned> waiting = new();
        // The first segment only computes features of the latents.
        for (int i = _segments.Count - 1; i > 0; i--)
        {
            Segment segment = _segments[i];
            Input input = inputs[i];
            if (segment.LeavesSkip)
                _tape.Free(waiting.Pop());
            Planned arriving = Like(input.X);
            _tape.Scoped(() =>
            {
                Planned x = NetworkTape.Borrowed(input.X);
                Planned y = segment.Run(input with { X = x, Skip = input.Skip is null ? null : NetworkTape.Borrowed(input.Skip) });
                _tape.Backward(y);
                return y;
            });
            if (segment.TakesSkip)
                waiting.Push(Like(input.Skip!));
            _tape.Free(arriving);
        }
    }

    private Planned Like(Planned x) => _tape.Make(x.Rows, x.Channels, x.Height, x.Width, false);

    private Input Start(long rows, long height, long width)
    {
        Planned text = NetworkTape.Given(rows, _config.CrossAttentionDim, 1, _tokens, needsGradient: true);
        Planned time = _tape.Linear(NetworkTape.Given(rows, _config.BlockOutChannels[0], 1, 1), "time_embedding.linear_1", 4L * _config.BlockOutChannels[0]);
        time = _tape.Function(_tape.Linear(_tape.Function(time), "time_embedding.linear_2", 4L * _config.BlockOutChannels[0]));
        return new Input(NetworkTape.Given(rows, _config.InChannels, height, width), null, null, time, text);
    }

    private Planned Run(Input start, Input[]? kept)
    {
        Stack<Planned> skips = new();
        Planned x = start.X;
        bool isOurs = false;
        for (int i = 0; i < _segments.Count; i++)
        {
            Segment segment = _segments[i];
            Planned? skip = segment.TakesSkip ? skips.Pop() : null;
            Input input = start with { X = x, Skip = skip, NextSkip = skips.TryPeek(out Planned? next) ? next : null };
            Planned y = segment.Run(input);
            if (kept is not null)
            {
                kept[i] = input;
            }
            else
            {
                if (isOurs)
                    _tape.Free(x);
                if (skip is not null)
                    _tape.Free(skip);
            }
            if (segment.LeavesSkip)
                skips.Push(y);
            isOurs = !segment.LeavesSkip;
            x = y;
        }
        return x;
    }

    private Planned Residual(Planned x, Input input, string at, int to) => Blocks.Residual(_tape, x, input.Time, at, to);

    private Planned Transformed(Planned x, Input input, bool has, string at, int level)
    {
        if (!has)
            return x;
        int heads = _config.Heads[level];
        return _tape.Scoped(() =>
        {
            string block = $"{at}.transformer_blocks.0";
            Planned t = _tape.Function(x);
            if (!_config.UseLinearProjection)
                t = _tape.Convolution(t, $"{at}.proj_in", x.Channels, kernel: 1, padding: 0);
            t = _tape.Copy(t, t.Channels, t.Height, t.Width);
            if (_config.UseLinearProjection)
                t = _tape.Linear(t, $"{at}.proj_in", x.Channels);
            Planned zeroth = t;
            Planned first = _tape.Scoped(() =>
            {
                Planned self = _tape.Function(zeroth);
                return _tape.Add(zeroth, Attend(self, self, $"{block}.attn1", heads, self: true));
            });
            Planned second = _tape.Scoped(() => _tape.Add(first, Attend(_tape.Function(first), input.Text, $"{block}.attn2", heads, self: false)));
            t = _tape.Scoped(() =>
            {
                Planned gated = _tape.Gate(_tape.Linear(_tape.Function(second), $"{block}.ff.net.0.proj", 8 * x.Channels));
                return _tape.Add(second, _tape.Linear(gated, $"{block}.ff.net.2", x.Channels));
            });
            if (_config.UseLinearProjection)
                t = _tape.Linear(t, $"{at}.proj_out", x.Channels);
            else
                t = _tape.Convolution(_tape.Copy(t, t.Channels, t.Height, t.Width), $"{at}.proj_out", x.Channels, kernel: 1, padding: 0);
            return _tape.Add(t, x);
        });
    }

    private Planned Attend(Planned x, Planned context, string at, int heads, bool self)
    {
        Planned query = _tape.Linear(x, $"{at}.to_q", x.Channels);
        Planned key = _tape.Linear(context, $"{at}.to_k", x.Channels),
            value = _tape.Linear(context, $"{at}.to_v", x.Channels);
        return _tape.Linear(_tape.Attention(query, key, value, at, self, heads, _makesMaps), $"{at}.to_out.0", x.Channels);
    }

    private sealed record Input(Planned X, Planned? Skip, Planned? NextSkip, Planned Time, Planned Text);

    private sealed record Segment(bool TakesSkip, bool LeavesSkip, Func<Input, Planned> Run);
}

/// <summary>Parts shared by several networks.</summary>
internal static class Blocks
{
    public static Planned Residual(NetworkTape tape, Planned x, Planned? time, string at, int to) =>
        tape.Scoped(() =>
        {
            // A chain in which only two links exist at a time.
            Planned h = tape.Function(x);
            h = tape.Then(h, tape.Function);
            h = tape.Then(h, t => tape.Convolution(t, $"{at}.conv1", to));
            if (time is not null)
            {
                h = tape.Then(
                    h,
                    t =>
                    {
                        tape.Linear(time, $"{at}.time_emb_proj", to);
                        return tape.Pointwise([t], savesInputs: false);
                    }
                );
            }
            h = tape.Then(h, tape.Function);
            h = tape.Then(h, tape.Function);
            h = tape.Then(h, t => tape.Convolution(t, $"{at}.conv2", to));
            return tape.Add(h, x.Channels == to ? x : tape.Convolution(x, $"{at}.conv_shortcut", to, kernel: 1, padding: 0));
        });
}
