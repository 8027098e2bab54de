using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Loading;

/// <summary>Determines what a trained network predicts, for models whose files do not say.</summary>
/// <remarks>
/// At the noisiest timestep the latents are almost pure noise. A network that predicts noise then returns approximately its input. One that predicts
/// velocity returns approximately the negative of an image, about which the latents contain nothing. The correlation of input and output tells them
/// apart.
/// </remarks>
internal static class PredictionProbe
{
    private const double NoiseAbove = 0.5;
    private const int NoisiestTimestep = 999;
    private const long Side = 32;

    /// <summary>Evaluates the network once, on noise.</summary>
    public static (PredictionType Prediction, double Likeness) Ask(UNet2DConditionModel unet, ClipTextModel text, ITextTokenizer tokenizer)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        long side = Math.Min(Side, unet.Config.SampleSize);
        Tensor like = empty([0], unet.Dtype, unet.Device);
        Tensor noise = Seeds.Normal(0, [1, unet.Config.InChannels, side, side], like);
        Tensor embedding = text.Forward(TokenizedPrompt.Stack([tokenizer.Tokenize("")], text.Device)).to(unet.Dtype);
        Tensor answer = unet.Forward(noise, tensor((long[])[NoisiestTimestep], device: unet.Device), embedding);
        double likeness = Correlation(noise.to(ScalarType.Float64).flatten(), answer.to(ScalarType.Float64).flatten());
        return (likeness > NoiseAbove ? PredictionType.Epsilon : PredictionType.Velocity, likeness);
    }

    private static double Correlation(Tensor a, Tensor b)
    {
        Tensor x = a.sub(a.mean()),
            y = b.sub(b.mean());
        double scale = Math.Sqrt(x.Squared().sum().item<double>() * y.Squared().sum().item<double>());
        return scale > 0 ? x.mul(y).sum().item<double>() / scale : 0;
    }
}
