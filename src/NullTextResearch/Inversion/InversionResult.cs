using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// What an inversion yields: everything a sampler needs to land on the images again, and an editor to edit them.
/// Owns its tensors.
/// </summary>
/// <remarks>
/// Several threads may read one, edit from it and sample from it at a time. <see cref="Dispose"/> waits for edits that run; whoever
/// computes with one of the tensors by itself must have ended before. After it, every property that holds tensors throws <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class InversionResult : IDisposable
{
    private readonly UseGate _gate = new(nameof(InversionResult));

    /// <summary>Name of the method, as in tables and charts.</summary>
    public required string Method { get; init; }

    /// <summary>w to sample with.</summary>
    public required double GuidanceScale { get; init; }

    /// <summary>z_T to sample from, [B, 4, H, W].</summary>
    public required Tensor StartLatents
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>Prompt embeddings.</summary>
    public required StepEmbeddings Conditional
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>Unconditional embeddings.</summary>
    public required StepEmbeddings Unconditional
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>How a sampler moves from <see cref="StartLatents"/> to the image; plain DDIM sampling if not given.</summary>
    public IReplay Replay
    {
        get => _gate.Alive(field);
        init;
    } = DdimReplay.Instance;

    /// <summary>
    /// Whether the prompt's own embedding was optimised, so that it is not what the text encoder gives: an editor then carries it over to its targets.
    /// </summary>
    public bool IsPromptOptimised { get; init; }

    /// <summary>
    /// The latents that sampling this result at its guidance scale ends at, [B, 4, H, W], up to rounding; null where the
    /// method has not come by them anyway.
    /// </summary>
    public Tensor? Reconstruction
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>The pivot, where the method has one.</summary>
    public PivotTrajectory? Pivot
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>
    /// Per image, per step: what the optimisation did; empty where the method does not optimise. Methods that visit the
    /// timesteps in random order report one entry per image, with all iterations in the order they ran.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<StepOptimisation>> Optimisation { get; init; } = [];

    /// <summary>Network evaluations per image (one latent with one embedding), forward passes.</summary>
    public required double EvaluationsPerImage { get; init; }

    /// <summary>How many of those evaluations were followed by a backward pass.</summary>
    public double BackwardsPerImage { get; init; }

    /// <summary>How often a gradient overflowed a float16 network and was taken again with a smaller scale; 0 in other precisions.</summary>
    public int GradientBackOffs { get; init; }

    /// <summary>Time spent.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>The options used, for the manifest.</summary>
    public required object Options { get; init; }

    /// <summary>The sampling plan that reconstructs the images; borrows this result's tensors.</summary>
    public SamplingPlan Plan =>
        new()
        {
            StartLatents = StartLatents,
            Conditional = Conditional,
            Unconditional = Unconditional,
            GuidanceScale = GuidanceScale,
            SourceGuidance = Replay.SourceGuidance,
            Replay = Replay,
        };

    /// <summary>Keeps the tensors, on this thread, until the lease is disposed.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    internal UseGate.Lease Use() => _gate.Use();

    /// <summary>Frees the tensors. A second time nothing happens.</summary>
    public void Dispose() =>
        _gate.Close(() =>
        {
            foreach (IDisposable? item in (IDisposable?[])[StartLatents, Conditional, Unconditional, Replay, Reconstruction, Pivot])
                item?.Dispose();
        });
}
