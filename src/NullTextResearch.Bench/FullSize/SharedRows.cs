using System.Text.Json;
using NullTextResearch.Planning;
using NullTextResearch.UNet;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Bench.FullSize;

/// <summary>The rows that unet.py also measures, as the same JSON lines; compare-with-python.sh runs the two programs in turns.</summary>
internal sealed class SharedRows(FullSizeWork work)
{
    private const long Parameters = 859_520_964;

    public void Run()
    {
        Device device = work.Device;
        bool isCuda = device.type == DeviceType.CUDA;
        ScalarType half = isCuda ? ScalarType.Float16 : ScalarType.BFloat16;
        UNetConfig config = UNetConfig.StableDiffusion1;
        using UNet2DConditionModel full = new(config),
            low = new(config);
        if (full.Weights.ParameterCount != Parameters)
            throw new InvalidOperationException($"{full.Weights.ParameterCount} parameters, expected {Parameters}.");
        FormulaNumbers.Fill(full.Weights, device);
        low.Weights.Fill(weight => full.Weights.Find(weight.Key)!.Value.to(half));
        Print(
            new
            {
                kind = "about",
                program = "TorchSharp",
                version = $"TorchSharp {typeof(torch).Assembly.GetName().Version}, libtorch {torch.__version__}, .NET {Environment.Version}",
                parameters = full.Weights.ParameterCount,
                flops = Work.Forward(NetworkWork.OfUNet(config, work.Size / 8, work.Size / 8)).Flops,
                attention = "fused",
                device = isCuda ? "CUDA" : $"{Machine.Processor()}, {work.Threads} thread(s)",
            }
        );
        foreach (UNet2DConditionModel network in (UNet2DConditionModel[])[full, low])
        {
            string precision = network.Dtype.ToString().ToLowerInvariant();
            foreach (
                (string row, Func<NetworkPass, Tensor> body) in ((string, Func<NetworkPass, Tensor>)[])
                    [("forward", p => p.Forward()), ("forward and backward to the embedding", p => p.ForwardBackward())]
            )
            {
                foreach (int batch in (int[])[1, 2])
                {
                    using NetworkPass pass = new(network, work.Size, batch);
                    if (batch == 1)
                        Print(
                            new
                            {
                                kind = "probe",
                                row,
                                precision,
                                values = Samples(body(pass)),
                            }
                        );
                    Print(
                        new
                        {
                            kind = "row",
                            row,
                            batch,
                            precision,
                            seconds = pass.Best(() => body(pass)).Wall,
                        }
                    );
                }
            }
            if (!isCuda)
                continue;
            foreach (LaunchGap gap in LaunchGaps.Measure(network, work.Size))
                Print(
                    new
                    {
                        kind = "launch",
                        pixels = gap.Pixels,
                        batch = gap.Batch,
                        precision,
                        enqueue = gap.Enqueue,
                        wall = gap.Wall,
                    }
                );
        }
    }

    // 64 numbers spread over a result; takes ownership of the tensor.
    private static float[] Samples(Tensor result)
    {
        using Tensor owned = result,
            flat = result.detach().to(ScalarType.Float32).cpu().flatten();
        float[] all = flat.data<float>().ToArray();
        return [.. Enumerable.Range(0, 64).Select(i => all[i * (all.Length / 64)])];
    }

    private static void Print<T>(T line) => Console.WriteLine(JsonSerializer.Serialize(line));
}
