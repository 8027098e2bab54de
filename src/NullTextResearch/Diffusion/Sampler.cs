using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>What to sample from and with. All tensors are borrowed.</summary>
public sealed record SamplingPlan
{
    /// <summary>Where to start: z_T, [B, 4, H, W].</summary>
    public required Tensor StartLatents { get; init; }

    /// <summary>Prompt embeddings for B images.</summary>
    public required StepEmbeddings Conditional { get; init; }

    /// <summary>Unconditional (or null-text) embeddings for B images, or for one image that serves all; may be null at guidance 1.</summary>
    public StepEmbeddings? Unconditional { get; init; }

    /// <summary>w.</summary>
    public double GuidanceScale { get; init; } = 7.5;

    /// <summary>Added to the latents after each move, [T, B, 4, H, W] (direct inversion), or null.</summary>
    public Tensor? Offsets { get; init; }

    /// <summary>First step to run; later than 0 for SDEdit.</summary>
    public int FirstStep { get; init; }
}

/// <summary>Deterministic DDIM sampling with classifier-free guidance.</summary>
public static class Sampler
{
    /// <summary>Runs a plan to the end.</summary>
    /// <param name="predictor">
    /// Noise predictor; gets one call per step with rows [unconditional..., conditional...], or the conditional rows alone at guidance 1.
    /// </param>
    /// <param name="grid">Steps.</param>
    /// <param name="plan">What to sample.</param>
    /// <param name="afterStep">
    /// Sees (and may replace) the latents after each move; gets them borrowed and returns them, or new ones in the current dispose scope.
    /// </param>
    /// <param name="cancellation">Checked at every step.</param>
    /// <returns>z_0, [B, 4, H, W]; owned by the caller's dispose scope.</returns>
    public static Tensor Run(
        INoisePredictor predictor,
        TimestepGrid grid,
        SamplingPlan plan,
        Func<DiffusionStep, Tensor, Tensor>? afterStep = null,
        CancellationToken cancellation = default
    )
    {
        Shape.Require(plan.StartLatents, [-1, -1, -1, -1]);
        if (plan.Unconditional is null && plan.GuidanceScale != 1)
            throw new ArgumentException(
                FormattableString.Invariant($"Guidance scale {plan.GuidanceScale} needs unconditional embeddings; only scale 1 does without."),
                nameof(plan)
            );
        using IDisposable grad = no_grad();
        using DisposeScope outer = NewDisposeScope();
        Tensor latents = plan.StartLatents.alias();
        foreach (DiffusionStep step in grid.Moves.Skip(plan.FirstStep))
        {
            cancellation.ThrowIfCancellationRequested();
            using DisposeScope scope = NewDisposeScope();
            Tensor noise = Predict(predictor, plan, step, latents);
            Tensor next = Ddim.Move(latents, noise, step.Noisy, step.Clean);
            if (plan.Offsets is { } offsets)
                next = next.Plus(offsets.select(0, step.Step));
            if (afterStep is not null)
                next = afterStep(step, next);
            latents.Dispose();
            latents = next.MoveToOuterDisposeScope();
        }
        return latents.MoveToOuterDisposeScope();
    }

    /// <summary>The guided noise prediction of one step; owned by the caller's dispose scope.</summary>
    public static Tensor Predict(INoisePredictor predictor, SamplingPlan plan, DiffusionStep step, Tensor latents) =>
        Lifetime.Scoped(() =>
        {
            Tensor conditional = plan.Conditional.At(step.Step);
            if (plan.GuidanceScale == 1)
                return predictor.Predict(latents, step, conditional);
            Tensor unconditional = plan.Unconditional!.At(step.Step);
            if (unconditional.shape[0] != conditional.shape[0])
                unconditional = unconditional.expand(conditional.shape);
            Tensor[] both = predictor.Predict(cat([latents, latents], 0), step, cat([unconditional, conditional], 0)).chunk(2, 0);
            return Guidance.Combine(both[0], both[1], plan.GuidanceScale);
        });
}
