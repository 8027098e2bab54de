using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// EDICT: two coupled latents, each moved by the noise predicted at the other, so that every move can be undone exactly. Wallace et al. 2023 (arXiv
/// 2211.12446).
/// </summary>
/// <remarks>
/// Sampling back is exact up to rounding errors, which the mixing amplifies: use float64 for an exact reconstruction; in float32 the errors are invisible.
/// </remarks>
/// <param name="options">Options; null for the defaults.</param>
public sealed class EdictPath(EdictOptions? options = null) : IPath
{
    private readonly EdictOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "EDICT";

    /// <summary>Receives the index of the latent that moved (0 or 1) and its new value, [B, 4, H, W], borrowed; null to disable.</summary>
    public Action<int, Tensor>? Observer { get; init; }

    /// <inheritdoc/>
    public Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        _options.Validate();
        TimestepGrid grid = problem.Grid;
        int moves = (int)(_options.Strength * grid.Steps),
            first = grid.Steps - moves;
        double keep = _options.Mix;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        List<Tensor> levels = [problem.Latents.detach()];
        Tensor[] pair = [levels[0], levels[0]];
        for (int level = 0; level < moves; level++)
        {
            cancellation.ThrowIfCancellationRequested();
            DiffusionStep step = grid.Moves[grid.Steps - 1 - level];
            using DisposeScope inner = NewDisposeScope();
            Tensor before = pair[1];
            // Sampling mixes after both moves, so inversion un-mixes before them.
            pair[1] = Unmix(pair[1], pair[0]);
            pair[0] = Unmix(pair[0], pair[1]);
            int last = 1 - ((step.Step - first) % 2);
            foreach (int k in (int[])[last, 1 - last])
            {
                Tensor own = pair[k],
                    other = pair[1 - k];
                pair[k] = Lifetime.Scoped(() => Ddim.Move(own, problem.Predict(other, step, _options.GuidanceScale), step.Clean, step.Noisy));
                Observer?.Invoke(k, pair[k]);
            }
            levels.Add(pair[0].MoveToOuterDisposeScope());
            pair[1].MoveToOuterDisposeScope();
            // At the first level both latents are the same tensor, which is also kept as a level.
            if (level > 0)
                before.Dispose();
            progress?.Report(new InversionProgress(Name, level + 1, moves));

            Tensor Unmix(Tensor own, Tensor other) => Lifetime.Scoped(() => own.sub(other.Times(1 - keep)).Over(keep));
        }
        // Levels above the last one are not visited; the walk still has one tensor for each of them.
        Tensor top = levels[^1];
        return new Walk
        {
            Levels = new PivotTrajectory([.. levels, .. Enumerable.Repeat(top, first)]),
            Replay = new EdictReplay(pair[1].Snapshot(), keep, first, _options.GuidanceScale),
        };
    }
}
