using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>
/// Presents a network that predicts velocity as one that predicts noise, so that no algorithm needs to ask: epsilon = sqrt(alphaBar) v +
/// sqrt(1 - alphaBar) z, with the level of the timestep that the network is told.
/// </summary>
/// <remarks>
/// The level is the network's, also where an inversion hands it latents of the neighbouring level: a velocity network then behaves, move for move, as
/// the noise network of the same knowledge would. (diffusers' inverse scheduler takes the level of the latents instead; the two agree as steps shrink.)
/// Guidance may be applied before or after: the conversion is the same for both predictions, and their difference is scaled alike.
/// </remarks>
/// <param name="network">Predicts velocity; borrowed.</param>
/// <param name="schedule">The schedule it was trained with.</param>
public sealed class VelocityPredictor(INoisePredictor network, NoiseSchedule schedule) : INoisePredictor
{
    /// <inheritdoc/>
    public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition) =>
        Lifetime.Scoped(() => ToNoise(network.Predict(latents, step, condition), latents, schedule.At(step.Timestep)));

    /// <inheritdoc/>
    public PredictionGradient Differentiate(
        Tensor latents,
        DiffusionStep step,
        Conditioning condition,
        Func<Tensor, Tensor> loss,
        GradientOf of = GradientOf.Tokens
    )
    {
        AlphaBar level = schedule.At(step.Timestep);
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        PredictionGradient result = network.Differentiate(latents, step, condition, velocity => loss(ToNoise(velocity, latents, level)), of);
        using IDisposable grad = no_grad();
        return (result with { Prediction = ToNoise(result.Prediction, latents, level) }).MoveToOuterDisposeScope();
    }

    /// <summary>Noise that a velocity stands for.</summary>
    /// <param name="velocity">v; borrowed.</param>
    /// <param name="latents">z, same shape; borrowed.</param>
    /// <param name="level">Level of both.</param>
    /// <returns>epsilon, in the dtype of the latents; owned by the caller's dispose scope.</returns>
    public static Tensor ToNoise(Tensor velocity, Tensor latents, AlphaBar level)
    {
        Shape.RequireSame(velocity, latents);
        return Lifetime.Scoped(() => velocity.to(latents.dtype).Times(Math.Sqrt(level.Value)).Plus(latents.Times(Math.Sqrt(1 - level.Value))));
    }

    /// <summary>Velocity that a noise stands for: the inverse of <see cref="ToNoise"/>.</summary>
    /// <param name="noise">epsilon; borrowed.</param>
    /// <param name="latents">z, same shape; borrowed.</param>
    /// <param name="level">Level of both; its signal must not be 0.</param>
    /// <returns>v; owned by the caller's dispose scope.</returns>
    public static Tensor ToVelocity(Tensor noise, Tensor latents, AlphaBar level)
    {
        Shape.RequireSame(noise, latents);
        return Lifetime.Scoped(() => noise.sub(latents.Times(Math.Sqrt(1 - level.Value))).Over(Math.Sqrt(level.Value)));
    }
}
