using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>
/// The only interface between algorithms and networks: latents, step and condition to noise prediction. Attention control, counting and precision are
/// decorators around it; with a fake predictor every loop can be tested in milliseconds.
/// </summary>
public interface INoisePredictor
{
    /// <summary>Predicts noise.</summary>
    /// <param name="latents">z_t, [B, 4, H, W]; borrowed.</param>
    /// <param name="step">Where on the grid; the network sees <see cref="DiffusionStep.Timestep"/>.</param>
    /// <param name="condition">Text embedding of B rows, and what the rows are; borrowed. Gradients flow to it if it requires them.</param>
    /// <returns>Noise prediction, shape of the latents; owned by the caller's dispose scope.</returns>
    Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition);

    /// <summary>
    /// Predicts noise and differentiates a loss of the prediction with respect to the inputs. By default the prediction's graph is recorded; a network can
    /// implement its own way (in segments, or scaled for float16).
    /// </summary>
    /// <param name="latents">z_t, [B, 4, H, W]; borrowed.</param>
    /// <param name="step">Where on the grid.</param>
    /// <param name="condition">Text embedding of B rows; borrowed. No row may influence the loss of another.</param>
    /// <param name="loss">Prediction to loss per row, [B]; depends on the prediction alone. Run with gradients recorded, at most twice.</param>
    /// <param name="of">The inputs to differentiate with respect to.</param>
    /// <returns>Owned by the caller's dispose scope.</returns>
    /// <exception cref="InvalidOperationException">The prediction does not depend on an input.</exception>
    PredictionGradient Differentiate(
        Tensor latents,
        DiffusionStep step,
        Conditioning condition,
        Func<Tensor, Tensor> loss,
        GradientOf of = GradientOf.Tokens
    ) => PredictionGradient.Recorded(this, latents, step, condition, loss, of);
}
