using NullTextResearch.Tensors;
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

    /// <summary>
    /// Predicts noise and differentiates a loss of it by the embedding. A network that knows a way of its own (in segments, or scaled for float16)
    /// has its own; by default the prediction's graph is recorded.
    /// </summary>
    /// <param name="latents">z_t, [B, 4, H, W]; borrowed, no gradient is taken.</param>
    /// <param name="step">Where on the grid.</param>
    /// <param name="embedding">[B, tokens, d]; borrowed. No row may influence the loss of another.</param>
    /// <param name="loss">Prediction to loss per row, [B]; runs once, with gradients recorded.</param>
    /// <returns>Owned by the caller's dispose scope.</returns>
    /// <exception cref="InvalidOperationException">The prediction does not depend on the embedding.</exception>
    PredictionGradient Differentiate(Tensor latents, DiffusionStep step, Tensor embedding, Func<Tensor, Tensor> loss) =>
        PredictionGradient.Recorded(this, latents, step, embedding, loss);
}

/// <summary>A loss of a noise prediction, and its gradient to the embedding.</summary>
/// <param name="Losses">Loss per row, [B].</param>
/// <param name="Gradient">Of the sum of the losses, shape and type of the embedding.</param>
/// <param name="Prediction">Noise prediction, detached.</param>
/// <param name="BackOffs">How often the gradient was taken again with a smaller scale because it overflowed 16 bits.</param>
public readonly record struct PredictionGradient(Tensor Losses, Tensor Gradient, Tensor Prediction, int BackOffs = 0)
{
    /// <summary>The same tensors, in the enclosing dispose scope.</summary>
    internal PredictionGradient MoveToOuterDisposeScope()
    {
        Losses.MoveToOuterDisposeScope();
        Gradient.MoveToOuterDisposeScope();
        Prediction.MoveToOuterDisposeScope();
        return this;
    }

    /// <summary>Through the recorded graph of any predictor.</summary>
    internal static PredictionGradient Recorded(INoisePredictor predictor, Tensor latents, DiffusionStep step, Tensor embedding, Func<Tensor, Tensor> loss)
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        using IDisposable grad = enable_grad();
        Tensor leaf = embedding.detach().requires_grad_(true);
        Tensor prediction = predictor.Predict(latents, step, leaf);
        Shape.RequireSame(prediction, latents);
        Tensor losses = loss(prediction);
        Shape.Require(losses, [latents.shape[0]]);
        return new PredictionGradient(losses.detach(), Of(losses.sum(), leaf), prediction.detach()).MoveToOuterDisposeScope();
    }

    /// <summary>The gradient of a number; autograd.grad ends the process where it should throw, so everything it could object to is checked here.</summary>
    internal static Tensor Of(Tensor total, Tensor leaf)
    {
        if (!total.requires_grad)
            throw new InvalidOperationException(
                "The noise prediction does not depend on the embedding through recorded operations, so the embedding cannot be optimised. Does the "
                    + "predictor run under no_grad, or detach its inputs?"
            );
        return autograd.grad([total], [leaf], allow_unused: true)[0]
            ?? throw new InvalidOperationException("The noise prediction does not depend on the embedding, so the embedding cannot be optimised.");
    }
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

    /// <inheritdoc/>
    public PredictionGradient Differentiate(Tensor latents, DiffusionStep step, Tensor embedding, Func<Tensor, Tensor> loss)
    {
        Evaluations += latents.shape[0];
        return inner.Differentiate(latents, step, embedding, loss);
    }
}
