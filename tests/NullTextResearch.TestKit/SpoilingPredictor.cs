using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.TestKit;

/// <summary>Spoils chosen predictions: NaN in one value of every row of an image.</summary>
/// <param name="inner">Predicts.</param>
/// <param name="isBad">Asked once at each call of the network that predicts for the image.</param>
/// <param name="image">Which image.</param>
public sealed class SpoilingPredictor(INoisePredictor inner, Func<bool> isBad, int image) : INoisePredictor
{
    public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition) =>
        IsBad(condition) ? Spoilt(inner.Predict(latents, step, condition), condition) : inner.Predict(latents, step, condition);

    public PredictionGradient Differentiate(
        Tensor latents,
        DiffusionStep step,
        Conditioning condition,
        Func<Tensor, Tensor> loss,
        GradientOf of = GradientOf.Tokens
    )
    {
        PredictionGradient result = inner.Differentiate(latents, step, condition, loss, of);
        return IsBad(condition) ? result with { Prediction = Spoilt(result.Prediction, condition) } : result;
    }

    private bool IsBad(Conditioning condition) => condition.Layout().Rows.Any(r => r.Image == image) && isBad();

    private Tensor Spoilt(Tensor prediction, Conditioning condition)
    {
        using DisposeScope scope = NewDisposeScope();
        double[] factors = [.. condition.Layout().Rows.Select(r => r.Image == image ? double.NaN : 1)];
        Tensor factor = tensor(factors, dtype: prediction.dtype).view(-1, 1, 1, 1);
        return prediction.mul(factor).MoveToOuterDisposeScope();
    }
}
