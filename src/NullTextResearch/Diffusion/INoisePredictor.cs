using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>
/// The one seam between algorithms and networks: latents, step and text embedding to noise prediction. Attention
/// control, counting and precision are decorators around it; a fake one makes every loop testable in milliseconds.
/// </summary>
public interface INoisePredictor
{
    /// <summary>Predicts noise.</summary>
    /// <param name="latents">z_t, [B, 4, H, W]; borrowed.</param>
    /// <param name="step">Where on the grid; the network sees <see cref="DiffusionStep.Timestep"/>.</param>
    /// <param name="embedding">Text embedding, [B, tokens, d]; borrowed. Gradients flow to it where it asks for them.</param>
    /// <returns>Noise prediction, shape of the latents; owned by the caller's dispose scope.</returns>
    Tensor Predict(Tensor latents, DiffusionStep step, Tensor embedding);
}

/// <summary>Counts what a predictor is asked: one evaluation is one latent with one embedding through the network.</summary>
/// <param name="inner">The predictor that does the work.</param>
public sealed class CountingPredictor(INoisePredictor inner) : INoisePredictor
{
    /// <summary>Evaluations so far: the sum of batch sizes.</summary>
    public long Evaluations { get; private set; }

    /// <inheritdoc/>
    public Tensor Predict(Tensor latents, DiffusionStep step, Tensor embedding)
    {
        Evaluations += latents.shape[0];
        return inner.Predict(latents, step, embedding);
    }
}
