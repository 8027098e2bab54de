using System.Text.Json;
using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Layers;
using NullTextResearch.UNet;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Verification;

/// <summary>
/// Outputs and gradients of single U-Net blocks at full size: optimisation on Stable Diffusion depends on them, and they are tested here without its
/// gigabytes. A CPU may compute a wrong gradient even where every output is right (see <see cref="Convolution"/>).
/// </summary>
internal static class GoldenBlocks
{
    private static readonly string[] InputNames = ["x", "time", "context"];

    /// <summary>Files whose entry gives the kind and inputs of each block; every n-th value is stored.</summary>
    public static void Gradients(GoldenFile file)
    {
        UNetConfig config = file.Folder.UNetConfiguration(file.Config);
        JsonElement strides = file.Entry.GetProperty("strides");
        foreach (JsonProperty block in file.Entry.GetProperty("block_gradients").EnumerateObject())
        {
            if (!file.WantsAny(t => t.StartsWith(block.Name + "/", StringComparison.Ordinal)))
                continue;
            using DisposeScope scope = NewDisposeScope();
            using IDisposable grad = enable_grad();
            using WeightSet weights = new();
            Func<Tensor[], Tensor> forward = Block(weights, block, config);
            file.Folder.Formula.Fill(weights, ScalarType.Float32);
            string[] names = [.. InputNames.Where(n => block.Value.TryGetProperty(n, out _))];
            Tensor[] inputs =
            [
                .. names.Select(n =>
                    file.Folder.Formula.Input($"input:{block.Name}.{n}", [.. block.Value.GetProperty(n).EnumerateArray().Select(s => s.GetInt64())])
                        .requires_grad_(true)
                ),
            ];
            Tensor output = forward(inputs);
            Tensor[] gradients = [.. autograd.grad([output], inputs, [file.Folder.Formula.Input($"input:{block.Name}.upstream", output.shape)])];
            Report("output", output);
            foreach ((string name, Tensor gradient) in names.Zip(gradients))
                Report("d" + name, gradient);

            void Report(string what, Tensor whole)
            {
                string name = $"{block.Name}/{what}";
                if (file.Wants(name))
                    file.Report(
                        name,
                        whole.detach().flatten().slice(0, 0, long.MaxValue, strides.GetProperty(name).GetInt64()).slice(0, 0, file.Shape(name)[0], 1)
                    );
            }
        }
    }

    private static Func<Tensor[], Tensor> Block(WeightSet weights, JsonProperty block, UNetConfig config)
    {
        WeightPath at = block.Name.Split('.').Aggregate(weights.Root, (path, part) => path[part]);
        long Number(string name) => block.Value.GetProperty(name).GetInt64();
        switch (block.Value.GetProperty("kind").GetString())
        {
            case "convolution":
                Conv2d convolution = new(at, Number("from"), Number("to"), stride: Number("stride"));
                return t => convolution.Forward(t[0]);
            case "exit":
                GroupNorm norm = new(weights.Root["conv_norm_out"], config.NormNumGroups, Number("from"), config.NormEps);
                Conv2d exit = new(at, Number("from"), Number("to"));
                return t => exit.Forward(F.silu(norm.Forward(t[0])));
            case "resnet":
                ResnetBlock resnet = new(at, Number("from"), Number("to"), config.NormNumGroups, config.NormEps, block.Value.GetProperty("time")[1].GetInt64());
                return t => resnet.Forward(t[0], t[1]);
            case "transformer":
                SpatialTransformer transformer = new(
                    at,
                    (int)Number("channels"),
                    (int)Number("heads"),
                    config,
                    (path, kind, heads) => new AttentionSite(path.Prefix, UNetStage.Down, 0, 0, kind, 0, heads)
                );
                return t => transformer.Forward(t[0], new UNetPass(t[1], BatchLayout.Sources((int)t[1].shape[0]), FusedAttention.Instance, 0));
            case var other:
                throw new NotSupportedException($"blocks of kind '{other}' are not supported");
        }
    }
}
