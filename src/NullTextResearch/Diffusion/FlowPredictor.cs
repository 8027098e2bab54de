using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>
/// Presents a network that predicts the direction of a rectified flow, u = epsilon - z_0, as one that predicts noise, so that algorithms need not
/// distinguish them: epsilon = z + (1 - sigma) u, at the level of the timestep passed to the network.
/// </summary>
/// <param name="network">Predicts the direction from image to noise; borrowed.</param>
/// <param name="schedule">Levels of a flow, such as <see cref="NoiseSchedule.RectifiedFlow"/>.</param>
/// <exception cref="ArgumentException">The schedule is variance-preserving.</exception>
public sealed class FlowPredictor(INoisePredictor network, NoiseSchedule schedule) : INoisePredictor
{
    private readonly NoiseSchedule _schedule = !schedule.Final.IsVariancePreserving
        ? schedule
        : throw new ArgumentException(
            "A flow network needs the levels of a flow (NoiseSchedule.RectifiedFlow), but this schedule preserves the variance.",
            nameof(schedule)
        );

    /// <inheritdoc/>
    public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition) =>
        Lifetime.Scoped(() => ToNoise(network.Predict(latents, step, condition), latents, _schedule.At(step.Timestep)));

    /// <inheritdoc/>
    public PredictionGradient Differentiate(
        Tensor latents,
        DiffusionStep step,
        Conditioning condition,
        Func<Tensor, Tensor> loss,
        GradientOf of = GradientOf.Tokens
    )
    {
        NoiseLevel level = _schedule.At(step.Timestep);
        return PredictionGradient.Through(network, latents, step, condition, direction => ToNoise(direction, latents, level), 1, loss, of);
    }

    /// <summary>The noise that corresponds to a direction.</summary>
    /// <param name="direction">u = epsilon - z_0; borrowed.</param>
    /// <param name="latents">z, same shape; borrowed.</param>
    /// <param name="level">Level of both.</param>
    /// <returns>epsilon, in the dtype of the latents; owned by the caller's dispose scope.</returns>
    public static Tensor ToNoise(Tensor direction, Tensor latents, NoiseLevel level)
    {
        Shape.RequireSame(direction, latents);
        return Lifetime.Scoped(() => latents.Plus(direction.to(latents.dtype).Times(level.Signal)));
    }
}
