using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// A linear relation between latents at three neighbouring noise levels, and the noise predicted at the middle one: noisier = Far * cleaner +
/// Near * middle + Noise * prediction. Two of the three latents give the third exactly, in either direction.
/// </summary>
/// <param name="Far">Factor of the cleanest of the three; not 0.</param>
/// <param name="Near">Factor of the middle one.</param>
/// <param name="Noise">Factor of the prediction.</param>
public readonly record struct TwoStepRule(double Far, double Near, double Noise)
{
    /// <summary>The noisiest of the three, [B, 4, H, W]; owned by the caller's dispose scope.</summary>
    /// <param name="cleaner">The cleanest, same shape; borrowed.</param>
    /// <param name="middle">The middle one, same shape; borrowed.</param>
    /// <param name="prediction">Noise predicted at the middle one, same shape; borrowed.</param>
    public Tensor Noisier(Tensor cleaner, Tensor middle, Tensor prediction)
    {
        TwoStepRule own = this;
        return Lifetime.Scoped(() => cleaner.Times(own.Far).Plus(middle.Times(own.Near)).Plus(prediction.Times(own.Noise)));
    }

    /// <summary>The cleanest of the three, [B, 4, H, W]; owned by the caller's dispose scope.</summary>
    /// <param name="noisier">The noisiest, same shape; borrowed.</param>
    /// <param name="middle">The middle one, same shape; borrowed.</param>
    /// <param name="prediction">Noise predicted at the middle one, same shape; borrowed.</param>
    public Tensor Cleaner(Tensor noisier, Tensor middle, Tensor prediction)
    {
        TwoStepRule own = this;
        return Lifetime.Scoped(() => noisier.sub(middle.Times(own.Near)).sub(prediction.Times(own.Noise)).Over(own.Far));
    }
}

/// <summary>The inversion shared by the paths with two-step rules.</summary>
internal sealed record TwoStepClimb
{
    public required string Name { get; init; }

    /// <summary>Id of the path, and kind of its replay.</summary>
    public required string Kind { get; init; }

    /// <summary>The rule of three levels: clean, middle, noisy.</summary>
    public required Func<NoiseLevel, NoiseLevel, NoiseLevel, TwoStepRule> Rule { get; init; }

    /// <summary>Share of the levels that the inversion covers.</summary>
    public required double Strength { get; init; }

    public required double GuidanceScale { get; init; }

    /// <summary>Whether the image has signal level 1 instead of that of the grid's clean end.</summary>
    public required bool CleanImage { get; init; }

    /// <summary>The noise of the first move, which has no level below it; null for the network's prediction.</summary>
    public Func<InversionProblem, DiffusionStep, Tensor>? FirstNoise { get; init; }

    public Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress, CancellationToken cancellation)
    {
        problem.Validate();
        TimestepGrid grid = problem.Grid;
        int steps = grid.Steps;
        // The small term keeps a share such as 7/10 from losing a step to rounding; sampling back needs two levels above the image.
        int moves = Math.Clamp((int)((Strength * steps) + 1e-9), Math.Min(2, steps), steps);
        NoiseLevel LevelOf(int level) => level == 0 && CleanImage ? grid.Level(0).Image : grid.Level(level);
        TwoStepRule[] rules = [.. Enumerable.Range(2, moves - 1).Select(k => Rule(LevelOf(k - 2), LevelOf(k - 1), LevelOf(k)))];
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        List<Tensor> levels = [problem.Latents.detach()];
        for (int k = 1; k <= moves; k++)
        {
            cancellation.ThrowIfCancellationRequested();
            Tensor middle = levels[^1];
            // The network is evaluated at the latents' own level; the image has no timestep and uses that of the level above.
            DiffusionStep asked = grid.Moves[steps - Math.Max(1, k - 1)];
            levels.Add(
                Lifetime.Scoped(() =>
                    k == 1
                        ? Ddim.Move(middle, FirstNoise?.Invoke(problem, asked) ?? problem.Predict(middle, asked, GuidanceScale), LevelOf(0), LevelOf(1))
                        : rules[k - 2].Noisier(levels[^2], middle, problem.Predict(middle, asked, GuidanceScale))
                )
            );
            progress?.Report(new InversionProgress(Name, k, moves));
        }
        // Levels above the last one are not visited; the walk still has one tensor for each of them.
        Tensor top = levels[^1];
        return new Walk
        {
            Levels = new PivotTrajectory([.. levels, .. Enumerable.Repeat(top, steps - moves)]),
            Replay = new TwoStepReplay(Kind, top.Snapshot(), rules, steps - moves + 1, GuidanceScale),
        };
    }
}
