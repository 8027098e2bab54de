using System.Globalization;
using System.Text;
using NullTextResearch.Diffusion;
using NullTextResearch.Experiments;
using NullTextResearch.Inversion;
using NullTextResearch.UNet;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Bench.FullSize;

/// <summary>
/// Whole null-text inversions with the U-Net of Stable Diffusion 1.5 on random weights: what the fast preset costs in time and memory against the released
/// options. Nothing stops early on such weights, so every method spends all that it may; PSNR says nothing here and is not shown.
/// </summary>
internal sealed class NullTextAtFullSize(FullSizeWork work, int steps)
{
    private static readonly (string Name, NullTextOptions Options)[] Variants =
    [
        ("the prompt, not optimised", NullTextOptions.Fast with { InnerSteps = 0 }),
        ("fast", NullTextOptions.Fast),
        ("Adam, always 10", NullTextOptions.Default with { StopEarly = false }),
    ];

    private readonly CultureInfo _c = CultureInfo.InvariantCulture;

    public string Run()
    {
        ScalarType dtype = work.Device.type == DeviceType.CUDA ? ScalarType.Float16 : ScalarType.BFloat16;
        using UNet2DConditionModel net = new(work.Config);
        net.Weights.Initialise(1, work.Device, dtype);
        // Warms up.
        Invert(net, dtype, Variants[0].Options, 1).Dispose();
        StringBuilder text = new();
        text.AppendLine(_c, $"# Null-text inversion with the U-Net of {work.Name} at {work.Size} pixels, {DateTimeOffset.UtcNow:yyyy-MM-dd}");
        text.AppendLine();
        text.AppendLine(_c, $"`{work.Command}`");
        text.AppendLine();
        text.AppendLine(
            _c,
            $"{(work.Device.type == DeviceType.CUDA ? "CUDA" : Machine.Processor())}, {work.Threads} thread(s), TorchSharp "
                + $"{typeof(torch).Assembly.GetName().Version}; random weights in {dtype}, T = {steps}. Nothing stops early on such weights: every method "
                + $"spends all that it may. Cost: a forward pass 1, a backward pass 2, the pivot included. The peak is that of the process so far; the methods "
                + $"ran in this order."
        );
        text.AppendLine();
        text.AppendLine("| method | forward | backward | cost | time, s | time against the last row | peak memory, GB |");
        text.AppendLine("|---|---|---|---|---|---|---|");
        List<(string Name, double Forwards, double Backwards, double Seconds, double Peak)> rows = [];
        foreach ((string name, NullTextOptions options) in Variants)
        {
            using InversionResult result = Invert(net, dtype, options, steps);
            rows.Add((name, result.EvaluationsPerImage, result.BackwardsPerImage, result.Elapsed.TotalSeconds, (ProcessMemory.Peak() ?? 0) / 1e9));
            Console.Error.WriteLine(string.Create(_c, $"{name}: {result.Elapsed.TotalSeconds:0.0} s"));
        }
        foreach ((string name, double forwards, double backwards, double seconds, double peak) in rows)
            text.AppendLine(
                _c,
                $"| {name} | {forwards:0} | {backwards:0} | {forwards + (2 * backwards):0} | {seconds:0.0} | {seconds / rows[^1].Seconds:0.00} | {peak:0.0} |"
            );
        return text.ToString();
    }

    private InversionResult Invert(UNet2DConditionModel net, ScalarType dtype, NullTextOptions options, int count)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new(7);
        Tensor Text() => randn([1, work.Tokens, work.Config.CrossAttentionDim], generator: generator).to(work.Device);
        InversionProblem problem = new()
        {
            Predictor = new InPrecision(new UNetNoisePredictor(net), dtype),
            Grid = new TimestepGrid(NoiseSchedule.StableDiffusion, count),
            Latents = randn([1, work.Config.InChannels, work.Latents, work.Latents], generator: generator).to(work.Device),
            Conditional = Text(),
            Unconditional = Text(),
        };
        return new NullTextInversion(options).Invert(problem);
    }
}
