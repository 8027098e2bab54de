using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>The sampling loop from noise to image, with classifier-free guidance; the plan's replay determines each step.</summary>
public static class Sampler
{
    /// <summary>Runs a plan to the end.</summary>
    /// <param name="predictor">
    /// Noise predictor; gets one call per step with rows [unconditional..., conditional...], or the conditional rows alone at guidance 1.
    /// </param>
    /// <param name="grid">Steps.</param>
    /// <param name="plan">What to sample.</param>
    /// <param name="afterStep">
    /// Receives (and may replace) the latents after each move: it borrows them and returns them, or new ones in the current dispose scope. If the replay
    /// carries more than one tensor, it is called for each.
    /// </param>
    /// <param name="cancellation">Checked at every step.</param>
    /// <returns>z_0, [B, 4, H, W]; owned by the caller's dispose scope.</returns>
    /// <exception cref="NotFiniteException">The network predicted NaN or infinity.</exception>
    public static Tensor Run(
        INoisePredictor predictor,
        TimestepGrid grid,
        SamplingPlan plan,
        Func<DiffusionStep, Tensor, Tensor>? afterStep = null,
        CancellationToken cancellation = default
    )
    {
        Shape.Require(plan.StartLatents, [-1, -1, -1, -1]);
        if (plan.Unconditional is null && plan.Scales.Any(w => w != 1))
            throw new ArgumentException(
                FormattableString.Invariant($"Guidance scale {plan.GuidanceScale} needs unconditional embeddings; only scale 1 works without."),
                nameof(plan)
            );
        CheckedPredictor network = new(predictor);
        return Run(grid, plan, null, (step, latents) => Predict(network, plan, step, latents), afterStep, null, cancellation).Latents;
    }

    /// <summary>As above, for callers that predict noise in another way; returns the whole final state, owned by the caller's dispose scope.</summary>
    internal static LatentState Run(
        TimestepGrid grid,
        SamplingPlan plan,
        Func<DiffusionStep, Tensor, Tensor>? beforeStep,
        Func<DiffusionStep, Tensor, Tensor> noise,
        Func<DiffusionStep, Tensor, Tensor>? afterStep,
        Action<DiffusionStep, LatentState>? observe,
        CancellationToken cancellation
    )
    {
        BatchLayout rows = plan.Layout;
        using IDisposable grad = no_grad();
        using DisposeScope outer = NewDisposeScope();
        LatentState state = plan.Replay.Start(plan.StartLatents, rows);
        foreach (DiffusionStep step in grid.Moves.Skip(Math.Max(plan.FirstStep, plan.Replay.FirstStep)))
        {
            cancellation.ThrowIfCancellationRequested();
            using DisposeScope scope = NewDisposeScope();
            LatentState from = beforeStep is null ? state : state.Select(latents => beforeStep(step, latents));
            LatentState next = plan.Replay.Move(from, step, latents => noise(step, latents), rows);
            if (afterStep is not null)
                next = next.Select(latents => afterStep(step, latents));
            observe?.Invoke(step, next);
            foreach (Tensor old in state.All)
                old.Dispose();
            state = next.MoveToOuterDisposeScope();
        }
        return state.MoveToOuterDisposeScope();
    }

    /// <summary>The guided noise prediction of one step; owned by the caller's dispose scope.</summary>
    public static Tensor Predict(INoisePredictor predictor, SamplingPlan plan, DiffusionStep step, Tensor latents) =>
        Lifetime.Scoped(() =>
        {
            Conditioning condition = plan.Conditional.At(step.Step) with { Rows = plan.Rows };
            IReadOnlyList<double> scales = plan.Scales;
            if (scales.All(w => w == 1))
                return predictor.Predict(latents, step, condition);
            (Tensor without, Tensor with) = Guidance.PredictBoth(predictor, latents, step, condition, plan.Unconditional!.At(step.Step));
            return plan.Replay.Guide(without, with, scales, step, plan.Layout);
        });
}
