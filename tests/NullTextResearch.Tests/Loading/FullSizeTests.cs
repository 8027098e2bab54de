using NullTextResearch.TestKit;
using NullTextResearch.Verification;
using NullTextResearch.Weights;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Loading;

/// <summary>
/// Stable Diffusion 1.x at full size through a single file on the disk, against tensors recorded from the original code. Opt-in: NULLTEXT_FULL_SIZE
/// names a folder with 5 GB of room, where the file is left; NULLTEXT_GOLDEN a folder with sd14_text, sd14_unet and sd14_vae.
/// </summary>
[Trait("Category", "FullSize")]
public sealed class FullSizeTests
{
    [Theory]
    [InlineData("folder")]
    [InlineData("single")]
    public void Load_StableDiffusion1_ComputesWhatTheOriginalComputed(string layout)
    {
        string? folder = Environment.GetEnvironmentVariable("NULLTEXT_FULL_SIZE"), golden = Environment.GetEnvironmentVariable("NULLTEXT_GOLDEN");
        Assert.SkipWhen(string.IsNullOrEmpty(folder) || string.IsNullOrEmpty(golden), "opt-in: set NULLTEXT_FULL_SIZE to a folder with 5 GB of room and NULLTEXT_GOLDEN to the recorded tensors of sd14");
        string path = Path.Combine(folder, layout == "single" ? "sd1.safetensors" : "sd1");
        ModelFiles.WriteTokenizer(Path.Combine(folder, "small"));
        if (layout == "single" && !File.Exists(path)) ModelFiles.WriteOriginal(path, OriginalModel.V1.All());
        if (layout == "folder" && !Directory.Exists(path)) ModelFiles.WriteFolder(path, OriginalModel.V1, shards: 2);
        using StableDiffusion model = StableDiffusion.Load(path, new ModelLoadOptions { Tokenizer = Path.Combine(folder, "small") });
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        FormulaWeights formula = new();
        using SafetensorsFile text = SafetensorsFile.Open(Path.Combine(golden, "sd14_text.safetensors")), unet = SafetensorsFile.Open(Path.Combine(golden, "sd14_unet.safetensors")), vae = SafetensorsFile.Open(Path.Combine(golden, "sd14_vae.safetensors"));
        Tensor context = text.Read("last_hidden_state");
        Near(context, model.Text.Forward(text.Read("input_ids")), "text");
        Tensor latents = formula.Input("input:latents", [1, 4, 16, 16]);
        foreach (long t in (long[])[1, 481, 981]) Near(unet.Read($"eps.t{t}"), model.UNet.Forward(latents, tensor((long[])[t]), context.narrow(0, 1, 1)), $"eps.t{t}");
        Near(vae.Read("decode_formula_latents"), model.Vae.DecodeUnscaled(latents), "decode");
        Tensor image = vae.Read("image_u8");
        Tensor pixels = (image.shape[^1] == 3 ? image.reshape(1, 64, 64, 3).permute(0, 3, 1, 2) : image.reshape(1, 3, 64, 64)).to(ScalarType.Float32).div(127.5).sub(1);
        Near(vae.Read("mean"), model.Vae.Posterior(pixels).Mean, "mean");

        static void Near(Tensor expected, Tensor actual, string what)
        {
            Assert.Equal(expected.shape, actual.shape);
            double difference = actual.to(ScalarType.Float64).sub(expected.to(ScalarType.Float64)).norm().item<double>() / expected.to(ScalarType.Float64).norm().item<double>();
            TestContext.Current.SendDiagnosticMessage("{0}: relative difference {1:e1}", what, difference);
            Assert.True(difference < 3e-5, $"{what}: relative difference {difference:e2}");
        }
    }
}
