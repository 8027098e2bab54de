using NullTextResearch.Experiments;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Tensors;

/// <summary>sd-mini on the CPU and on a CUDA device. In single precision without TF32 the devices differ by the order of their sums.</summary>
public sealed class CudaTests
{
    // Relative, over a whole tensor.
    private const double Forward = 1e-4,
        Gradient = 1e-3,
        Inversion = 1e-2;

    [Fact]
    public void NetworksAndInversion_OnBothDevices_Agree()
    {
        Assert.SkipUnless(
            cuda.is_available(),
            "this build of libtorch sees no CUDA device: build with -p:TorchBackend=cuda on a machine with an NVIDIA driver"
        );
        bool matrices = backends.cuda.matmul.allow_tf32,
            convolutions = backends.cudnn.allow_tf32;
        backends.cuda.matmul.allow_tf32 = backends.cudnn.allow_tf32 = false;
        try
        {
            using DisposeScope scope = NewDisposeScope();
            Outcome cpu = Run(CPU),
                gpu = Run(CUDA);
            foreach ((string what, Tensor expected, Tensor actual, double limit) in cpu.With(gpu))
            {
                double difference = actual.cpu().sub(expected).norm().item<float>() / expected.norm().item<float>();
                TestContext.Current.SendDiagnosticMessage("{0}: relative difference {1:e1}", what, difference);
                Assert.True(difference <= limit, $"{what}: relative difference {difference:e2}, limit {limit:e0}");
            }
        }
        finally
        {
            (backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32) = (matrices, convolutions);
        }
    }

    /// <summary>What the comparison above rests on: the same run gives the same numbers.</summary>
    [Fact]
    public void NetworksAndInversion_OnTheCpuTwice_AreEqualToTheLastBit()
    {
        using DisposeScope scope = NewDisposeScope();
        Assert.All(
            Run(CPU).With(Run(CPU)),
            r =>
            {
                Assert.True(r.Expected.norm().item<float>() > 0, r.What);
                Assert.True(r.Expected.equal(r.Actual).all().item<bool>(), r.What);
            }
        );
    }

    private static Outcome Run(Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        using StableDiffusion model = StableDiffusion.LoadMini(new ModelLoadOptions { Device = device });
        ExperimentImage toy = ExperimentImages.Toy(1, model.ImageSize)[0];
        Tensor latents = model.Encode([toy.Image]),
            text = model.Embed(toy.Caption).Tokens,
            decoded;
        using (no_grad())
            decoded = model.Vae.Decode(latents);
        // Weights are frozen: a gradient that is asked for is the text's.
        Tensor context = text.detach().requires_grad_(true);
        Tensor noise = model.UNet.Forward(latents, tensor((long[])[481], device: device), context);
        Tensor gradient = autograd.grad([noise.Squared().mean()], [context])[0];
        using InversionResult inversion = new NullTextInversion(NullTextOptions.Default with { InnerSteps = 2, StopEarly = false }).Invert(
            new InversionProblem
            {
                Predictor = model.Predictor(),
                Grid = model.Grid(5),
                Latents = latents,
                Conditional = text,
                Unconditional = model.Embed(""),
            }
        );
        return new Outcome(
            Kept(latents),
            Kept(decoded),
            Kept(text),
            Kept(noise),
            Kept(gradient),
            Kept(inversion.StartLatents),
            Kept(inversion.Reconstruction!)
        );

        static Tensor Kept(Tensor tensor) => tensor.detach().cpu().clone().MoveToOuterDisposeScope();
    }

    private sealed record Outcome(Tensor Latents, Tensor Decoded, Tensor Text, Tensor Noise, Tensor Gradient, Tensor Start, Tensor Reconstruction)
    {
        public IEnumerable<(string What, Tensor Expected, Tensor Actual, double Limit)> With(Outcome other) =>
            [
                ("latents of an image", Latents, other.Latents, CudaTests.Forward),
                ("image of latents", Decoded, other.Decoded, CudaTests.Forward),
                ("text embedding", Text, other.Text, CudaTests.Forward),
                ("noise prediction", Noise, other.Noise, CudaTests.Forward),
                ("gradient to the text", Gradient, other.Gradient, CudaTests.Gradient),
                ("DDIM-inverted latents", Start, other.Start, CudaTests.Gradient),
                ("null-text reconstruction", Reconstruction, other.Reconstruction, CudaTests.Inversion),
            ];
    }
}
