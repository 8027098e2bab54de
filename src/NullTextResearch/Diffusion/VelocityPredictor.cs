using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>
/// Presents a network that predicts velocity as one that predicts noise, so that algorithms need not distinguish them: epsilon = sqrt(alphaBar) v + sqrt(1 -
/// alphaBar) z, at the level of the timestep passed to the network.
/// </summary>
/// <remarks>
/// The level is that of the network's timestep, even if an inversion passes latents of the neighbouring level: a velocity network then behaves, move for move,
/// like the equivalent noise network. (diffusers' inverse scheduler takes the level of the latents instead; the two agree as steps shrink.) Guidance may be
/// applied before or after the conversion, which is the same for both predictions and scales their difference by the same factor.
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
        NoiseLevel level = schedule.At(step.Timestep);
        return PredictionGradient.Through(network, latents, step, condition, velocity => ToNoise(velocity, latents, level), level.Noise, loss, of);
    }

    /// <summary>The noise that corresponds to a velocity.</summary>
    /// <param name="velocity">v; borrowed.</param>
    /// <param name="latents">z, same shape; borrowed.</param>
    /// <param name="level">Level of both.</param>
    /// <returns>epsilon, in the dtype of the latents; owned by the caller's dispose scope.</returns>
    public static Tensor ToNoise(Tensor velocity, Tensor latents, NoiseLevel level)
    {
        Shape.RequireSame(velocity, latents);
        return Lifetime.Scoped(() => velocity.to(latents.dtype).Times(level.Signal).Plus(latents.Times(level.Noise)));
    }

    /// <summary>The velocity that corresponds to a noise: the inverse of <see cref="ToNoise"/>.</summary>
    /// <param name="noise">epsilon; borrowed.</param>
    /// <param name="latents">z, same shape; borrowed.</param>
    /// <param name="level">Level of both; its signal must not be 0.</param>
    /// <returns>v; owned by the caller's dispose scope.</returns>
    public static Tensor ToVelocity(Tensor noise, Tensor latents, NoiseLevel level)
    {
        Shape.RequireSame(noise, latents);
        return Lifetime.Scoped(() => noise.sub(latents.Times(level.Noise)).Over(level.Signal));
    }
}
