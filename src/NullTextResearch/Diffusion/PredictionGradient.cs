using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>A loss of a noise prediction, and its gradients.</summary>
/// <param name="Losses">Loss per row, [B].</param>
/// <param name="Tokens">Gradient of the summed losses with respect to the text embedding, in its shape and type; null if not requested.</param>
/// <param name="Latents">The same with respect to the latents, through the prediction; null if not requested.</param>
/// <param name="Prediction">Noise prediction, detached.</param>
/// <param name="BackOffs">How often the gradient was recomputed with a smaller scale because it overflowed 16 bits.</param>
public readonly record struct PredictionGradient(Tensor Losses, Tensor? Tokens, Tensor? Latents, Tensor Prediction, int BackOffs = 0)
{
    /// <summary>Gradient with respect to the pooled embedding, in its shape and type; null if not requested.</summary>
    public Tensor? Pooled { get; init; }

    /// <summary>Gradient with respect to <see cref="Conditioning.ValueTokens"/>, in its shape and type; null if not requested.</summary>
    public Tensor? ValueTokens { get; init; }

    /// <summary>The same tensors, in the enclosing dispose scope.</summary>
    internal PredictionGradient MoveToOuterDisposeScope()
    {
        Losses.MoveToOuterDisposeScope();
        Tokens?.MoveToOuterDisposeScope();
        Latents?.MoveToOuterDisposeScope();
        Pooled?.MoveToOuterDisposeScope();
        ValueTokens?.MoveToOuterDisposeScope();
        Prediction.MoveToOuterDisposeScope();
        return this;
    }

    /// <summary>Differentiates through the recorded graph of any predictor.</summary>
    internal static PredictionGradient Recorded(
        INoisePredictor predictor,
        Tensor latents,
        DiffusionStep step,
        Conditioning condition,
        Func<Tensor, Tensor> loss,
        GradientOf of
    )
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        using IDisposable grad = enable_grad();
        Tensor z = latents.detach();
        Conditioning leaves = condition.Map((_, value) => value.detach());
        IReadOnlyList<(GradientOf Of, Tensor Value)> inputs = Inputs(leaves, z, of);
        foreach ((GradientOf _, Tensor leaf) in inputs)
            leaf.requires_grad_(true);
        Tensor prediction = predictor.Predict(z, step, leaves);
        Shape.RequireSame(prediction, latents);
        Tensor losses = loss(prediction);
        Shape.Require(losses, [latents.shape[0]]);
        Tensor[] gradients = Of(losses.sum(), [.. inputs.Select(i => i.Value)]);
        return new PredictionGradient(losses.detach(), null, null, prediction.detach()).With(inputs, gradients).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Differentiates through a network whose output is converted to noise with the help of the latents. They then act on the loss past the network too: what
    /// the network's own gradient lacks is added.
    /// </summary>
    /// <param name="network">Its output is converted; borrowed.</param>
    /// <param name="latents">z; borrowed.</param>
    /// <param name="step">Passed to the network.</param>
    /// <param name="condition">Passed to the network.</param>
    /// <param name="toNoise">The conversion of an output to noise.</param>
    /// <param name="factor">Factor of the latents in the conversion.</param>
    /// <param name="loss">Of the noise.</param>
    /// <param name="of">Which gradients.</param>
    internal static PredictionGradient Through(
        INoisePredictor network,
        Tensor latents,
        DiffusionStep step,
        Conditioning condition,
        Func<Tensor, Tensor> toNoise,
        double factor,
        Func<Tensor, Tensor> loss,
        GradientOf of
    )
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        PredictionGradient result = network.Differentiate(latents, step, condition, output => loss(toNoise(output)), of);
        using IDisposable grad = no_grad();
        result = result with { Prediction = toNoise(result.Prediction) };
        if (result.Latents is { } through)
        {
            Tensor leaf = result.Prediction.detach();
            using IDisposable recorded = enable_grad();
            Tensor upstream = Of(loss(leaf.requires_grad_(true)).sum(), [leaf])[0];
            using IDisposable alone = no_grad();
            result = result with { Latents = through.Plus(upstream.Times(factor)) };
        }
        return result.MoveToOuterDisposeScope();
    }

    /// <summary>The requested inputs, in the order of their gradients.</summary>
    /// <exception cref="ArgumentException">None is requested, or one that is not there.</exception>
    internal static IReadOnlyList<(GradientOf Of, Tensor Value)> Inputs(Conditioning condition, Tensor latents, GradientOf of)
    {
        if (of == 0 || (of & ~(GradientOf.Tokens | GradientOf.Latents | GradientOf.Pooled | GradientOf.ValueTokens)) != 0)
            throw new ArgumentOutOfRangeException(
                nameof(of),
                of,
                "Request the gradient of the tokens, the latents, the pooled embedding, the value tokens, or several."
            );
        if (of.HasFlag(GradientOf.Pooled) && condition.Pooled is null)
            throw new ArgumentException("The gradient of the pooled embedding is requested, but the condition has none.", nameof(of));
        if (of.HasFlag(GradientOf.ValueTokens) && condition.ValueTokens is null)
            throw new ArgumentException("The gradient of the value tokens is requested, but the condition has none of its own.", nameof(of));
        return
        [
            .. new[]
            {
                (Of: GradientOf.Tokens, Value: condition.Tokens),
                (Of: GradientOf.Latents, Value: latents),
                (Of: GradientOf.Pooled, Value: condition.Pooled!),
                (Of: GradientOf.ValueTokens, Value: condition.ValueTokens!),
            }.Where(i => of.HasFlag(i.Of)),
        ];
    }

    /// <summary>The gradients of the requested inputs, each in its place.</summary>
    internal PredictionGradient With(IReadOnlyList<(GradientOf Of, Tensor Value)> inputs, IReadOnlyList<Tensor> gradients)
    {
        PredictionGradient all = this;
        for (int i = 0; i < inputs.Count; i++)
        {
            all = inputs[i].Of switch
            {
                GradientOf.Tokens => all with { Tokens = gradients[i] },
                GradientOf.Latents => all with { Latents = gradients[i] },
                GradientOf.Pooled => all with { Pooled = gradients[i] },
                _ => all with { ValueTokens = gradients[i] },
            };
        }
        return all;
    }

    /// <summary>The gradients of a scalar. autograd.grad ends the process where it should throw, so everything that it could reject is checked here.</summary>
    internal static Tensor[] Of(Tensor total, Tensor[] leaves, Tensor? upstream = null, bool keepGraph = false)
    {
        if (!total.requires_grad)
            throw new InvalidOperationException(
                "The noise prediction does not depend on the embedding or the latents through recorded operations, so neither can be optimised. Does the "
                    + "predictor run under no_grad, or detach its inputs?"
            );
        IList<Tensor> gradients = autograd.grad([total], leaves, upstream is null ? null : [upstream], retain_graph: keepGraph, allow_unused: true);
        return
        [
            .. gradients.Select(g =>
                g ?? throw new InvalidOperationException("The noise prediction does not depend on embedding or latents, so that input cannot be optimised.")
            ),
        ];
    }
}
