using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>Rejects predictions that are not finite, where they arise: the loops that follow would carry them to a picture, or past a comparison.</summary>
/// <param name="inner">The predictor that does the work.</param>
internal sealed class CheckedPredictor(INoisePredictor inner) : INoisePredictor
{
    public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition) => Checked(inner.Predict(latents, step, condition), step, condition);

    public PredictionGradient Differentiate(
        Tensor latents,
        DiffusionStep step,
        Conditioning condition,
        Func<Tensor, Tensor> loss,
        GradientOf of = GradientOf.Tokens
    )
    {
        PredictionGradient result = inner.Differentiate(latents, step, condition, loss, of);
        Checked(result.Prediction, step, condition);
        return result;
    }

    private static Tensor Checked(Tensor prediction, DiffusionStep step, Conditioning condition)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Tensor finite = prediction.isfinite();
        if (finite.all().item<bool>())
            return prediction;
        bool[] rows = finite.flatten(1).all(1).cpu().data<bool>().ToArray();
        throw new NotFiniteException(condition.Layout()[Array.IndexOf(rows, false)], step);
    }
}
