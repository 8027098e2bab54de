using System.Text.Json;
using NullTextResearch.Attention;
using NullTextResearch.Images;
using NullTextResearch.Tensors;
using NullTextResearch.UNet;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

/// <summary>Outputs, gradients, module outputs and attention maps of the three networks.</summary>
internal static class GoldenNetworks
{
    /// <summary>Files whose manifest entry names the inputs of every output.</summary>
    public static void Outputs(GoldenFile file)
    {
        // Loss and gradient come from one evaluation and have the same inputs.
        (string Inputs, Tensor Loss, Tensor Gradient)? last = null;
        foreach (JsonProperty item in file.Entry.GetProperty("inputs").EnumerateObject().Where(i => file.Wants(i.Name)))
        {
            using DisposeScope scope = NewDisposeScope();
            JsonElement inputs = item.Value;
            ScalarType dtype = file.Dtype(item.Name);
            if (inputs.TryGetProperty("gradient_of", out JsonElement of))
            {
                if (of.GetString() != "context")
                    throw new NotSupportedException($"the gradient of '{of}' is not supported, only that of the context");
                if (last?.Inputs != inputs.GetRawText())
                {
                    (Tensor loss, Tensor gradient) = ContextGradient(file, inputs, dtype);
                    last = (inputs.GetRawText(), loss.Keep(), gradient.Keep());
                }
                file.Report(item.Name, file.Shape(item.Name).Length == 1 ? last.Value.Loss : last.Value.Gradient);
            }
            else
            {
                file.Report(item.Name, Output(file, inputs, dtype));
            }
        }
        last?.Loss.Dispose();
        last?.Gradient.Dispose();
    }

    /// <summary>Files with the output of sub-modules: all of it or every n-th element.</summary>
    public static void Modules(GoldenFile file)
    {
        file.Entry.TryGetProperty("blocks", out JsonElement blocks);
        foreach (JsonProperty run in file.Entry.GetProperty("during").EnumerateObject())
        {
            string group = run.Name + "/";
            HashSet<string> wanted = [.. file.Tensors.Where(t => t.StartsWith(group, StringComparison.Ordinal) && file.Wants(t))];
            if (wanted.Count == 0)
                continue;
            JsonElement inputs = Inputs(file, run.Value);
            ScalarType dtype = file.Dtype(wanted.First());
            WeightSet weights = WeightsOf(file, inputs, dtype);
            weights.Observer = (path, output) =>
            {
                string name = group + path;
                if (!wanted.Contains(name))
                    return;
                using DisposeScope scope = NewDisposeScope();
                long stride = blocks.ValueKind == JsonValueKind.Object ? blocks.GetProperty(name).GetProperty("stride").GetInt64() : 0;
                file.Report(name, stride == 0 ? output : output.flatten().slice(0, 0, long.MaxValue, stride).slice(0, 0, file.Shape(name)[0], 1));
            };
            try
            {
                using Tensor output = Output(file, inputs, dtype);
            }
            finally
            {
                weights.Observer = null;
            }
        }
    }

    /// <summary>Files with attention maps by module name.</summary>
    public static void AttentionMaps(GoldenFile file)
    {
        JsonElement inputs = Inputs(file, file.Entry.GetProperty("during").GetProperty("unet"));
        List<string> calls = [];
        Recorder recorder = new(
            (call, map) =>
            {
                long[] shape = [map.shape[0] * map.shape[1], map.shape[2], map.shape[3]];
                calls.Add(
                    JsonSerializer.Serialize(
                        new object[] { call.Site.Path, call.Site.Kind == AttentionKind.Cross, call.Site.Stage.ToString().ToLowerInvariant(), shape }
                    )
                );
                using Tensor flat = map.reshape(shape);
                file.Report(call.Site.Path, flat);
            }
        );
        using Tensor output = Output(file, inputs, file.Dtype(file.Tensors[0]), recorder);
        string[] expected = [.. file.Entry.GetProperty("call_order").EnumerateArray().Select(c => JsonSerializer.Serialize(c))];
        file.Fact("call_order", calls.SequenceEqual(expected), $"{calls.Count} attention calls, {expected.Length} stored");
    }

    /// <summary>Resolves {"like": file, "tensor": name}.</summary>
    private static JsonElement Inputs(GoldenFile file, JsonElement given) =>
        given.TryGetProperty("like", out JsonElement other)
            ? file.Folder.Entry(other.GetString()!).GetProperty("inputs").GetProperty(given.GetProperty("tensor").GetString()!)
            : given;

    private static WeightSet WeightsOf(GoldenFile file, JsonElement inputs, ScalarType dtype) =>
        Model(inputs) switch
        {
            "text_encoder" => file.Folder.TextModel(file.Config, dtype).Weights,
            "unet" => file.Folder.UNet(file.Config, dtype, file.Name).Weights,
            "vae.encode" or "vae.decode" => file.Folder.Vae(file.Config, dtype).Weights,
            string other => throw Unknown(other),
        };

    private static string Model(JsonElement inputs) => inputs.TryGetProperty("model", out JsonElement model) ? model.GetString()! : "image";

    private static NotSupportedException Unknown(string model) => new($"the manifest names an unknown model '{model}'");

    private static Tensor Output(GoldenFile file, JsonElement inputs, ScalarType dtype, INetworkHook? attention = null) =>
        Lifetime.WithoutGradient(() =>
        {
            GoldenFolder folder = file.Folder;
            switch (Model(inputs))
            {
                case "text_encoder":
                    return folder.TextModel(file.Config, dtype).Forward(folder.Read(inputs.GetProperty("input_ids"), dtype));
                case "unet":
                    UNet2DConditionModel unet = folder.UNet(file.Config, dtype, file.Name);
                    Tensor latents = Value(folder, inputs, "latents", dtype),
                        context = Value(folder, inputs, "context", dtype);
                    return unet.Forward(latents, Timestep(inputs), context, attention);
                case "vae.encode":
                    (Tensor mean, Tensor logVariance) = folder.Vae(file.Config, dtype).Posterior(Pixels(folder, inputs, dtype));
                    return inputs.TryGetProperty("output", out JsonElement output) && output.GetString() == "logvar" ? logVariance : mean;
                case "vae.decode":
                    return folder.Vae(file.Config, dtype).DecodeUnscaled(Value(folder, inputs, "latents", dtype));
                case "image":
                    return Pixels(folder, inputs, dtype);
                default:
                    throw Unknown(Model(inputs));
            }
        });

    private static (Tensor Loss, Tensor Gradient) ContextGradient(GoldenFile file, JsonElement inputs, ScalarType dtype)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = enable_grad();
        UNet2DConditionModel unet = file.Folder.UNet(file.Config, dtype, file.Name);
        Tensor context = Value(file.Folder, inputs, "context", dtype).detach().requires_grad_(true);
        Tensor noise = unet.Forward(Value(file.Folder, inputs, "latents", dtype), Timestep(inputs), context);
        Tensor target = Value(file.Folder, inputs, "target", dtype);
        // autograd.grad aborts the process on a shape error.
        Shape.RequireSame(target, noise);
        Tensor loss = noise.sub(target).Squared().mean();
        Tensor gradient = autograd.grad([loss], [context])[0];
        return (loss.detach().view(1).MoveToOuterDisposeScope(), gradient.MoveToOuterDisposeScope());
    }

    private static Tensor Timestep(JsonElement inputs) => tensor((long[])[inputs.GetProperty("timestep").GetInt64()]);

    /// <summary>An input: a formula name with a separate shape, {"formula", "shape"}, or a stored tensor.</summary>
    private static Tensor Value(GoldenFolder folder, JsonElement inputs, string name, ScalarType dtype)
    {
        JsonElement given = inputs.GetProperty(name);
        if (given.ValueKind == JsonValueKind.String)
            return Formula(given.GetString()!, inputs.GetProperty(name + "_shape"));
        return given.TryGetProperty("formula", out JsonElement formula) ? Formula(formula.GetString()!, given.GetProperty("shape")) : folder.Read(given, dtype);

        Tensor Formula(string text, JsonElement shape) => folder.Formula.Input(text, [.. shape.EnumerateArray().Select(n => n.GetInt64())]).to(dtype);
    }

    private static Tensor Pixels(GoldenFolder folder, JsonElement inputs, ScalarType dtype) =>
        ImageTensor.ToPixels(Image(folder.Read(inputs.GetProperty("image"), dtype)), dtype: dtype);

    /// <summary>An image from stored bytes [H, W, 3].</summary>
    public static RgbImage Image(Tensor bytes)
    {
        Shape.Require(bytes, [-1, -1, 3]);
        return RgbImage.FromRgb(bytes.bytes, (int)bytes.shape[1], (int)bytes.shape[0]);
    }

    private sealed class Recorder(Action<AttentionCall, Tensor> seen) : ExplicitAttention
    {
        protected override Tensor Process(in AttentionCall call, Tensor map)
        {
            seen(call, map);
            return map;
        }
    }
}
