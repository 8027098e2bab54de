using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>Counts the evaluations of a predictor: one evaluation is one latent with one embedding through the network.</summary>
/// <param name="inner">The predictor that does the work.</param>
/// <param name="cancellation">Checked before each call.</param>
public sealed class CountingPredictor(INoisePredictor inner, CancellationToken cancellation = default) : INoisePredictor
{
    /// <summary>Evaluations so far: the sum of batch sizes.</summary>
    public long Evaluations { get; private set; }

    /// <summary>How many of them were followed by a backward pass, or recorded for one.</summary>
    public long Backwards { get; private set; }

    /// <inheritdoc/>
    public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition)
    {
        cancellation.ThrowIfCancellationRequested();
        Evaluations += latents.shape[0];
        if (is_grad_enabled() && (latents.requires_grad || condition.RequiresGradient))
            Backwards += latents.shape[0];
        return inner.Predict(latents, step, condition);
    }

    /// <inheritdoc/>
    public PredictionGradient Differentiate(
        Tensor latents,
        DiffusionStep step,
        Conditioning condition,
        Func<Tensor, Tensor> loss,
        GradientOf of = GradientOf.Tokens
    )
    {
        cancellation.ThrowIfCancellationRequested();
        Evaluations += latents.shape[0];
        Backwards += latents.shape[0];
        return inner.Differentiate(latents, step, condition, loss, of);
    }
}
