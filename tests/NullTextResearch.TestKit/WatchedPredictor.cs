using NullTextResearch.Diffusion;
using static TorchSharp.torch;

namespace NullTextResearch.TestKit;

/// <summary>Runs something before each call of a network; tests count, cancel or fail there.</summary>
/// <param name="inner">Predicts.</param>
/// <param name="called">Runs first.</param>
public sealed class WatchedPredictor(INoisePredictor inner, Action called) : INoisePredictor
{
    public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition)
    {
        called();
        return inner.Predict(latents, step, condition);
    }

    public PredictionGradient Differentiate(
        Tensor latents,
        DiffusionStep step,
        Conditioning condition,
        Func<Tensor, Tensor> loss,
        GradientOf of = GradientOf.Tokens
    )
    {
        called();
        return inner.Differentiate(latents, step, condition, loss, of);
    }
}
