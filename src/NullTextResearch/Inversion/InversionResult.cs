using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>The result of an inversion: everything that a sampler needs to reconstruct the images and an editor needs to edit them. Owns its tensors.</summary>
/// <remarks>
/// Several threads may read a result, edit from it and sample from it at the same time. <see cref="Dispose"/> waits for running edits; code that computes
/// directly with one of the tensors must have finished before. Afterwards, every property that holds tensors throws <see cref="ObjectDisposedException"/>.
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
    /// Whether the prompt's own embedding was optimised and so differs from the text encoder's output: an editor then carries it over to its targets.
    /// </summary>
    public bool IsPromptOptimised { get; init; }

    /// <summary>
    /// The latents obtained by sampling this result at its guidance scale, [B, 4, H, W], up to rounding; null if the method does not compute them anyway.
    /// </summary>
    public Tensor? Reconstruction
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>The pivot; null if the method has none.</summary>
    public PivotTrajectory? Pivot
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>
    /// Per image, per step: what the optimisation did; empty if the method does not optimise. Methods that visit the timesteps in random order report one entry
    /// per image, with all iterations in the order they ran.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<StepOptimisation>> Optimisation { get; init; } = [];

    /// <summary>Network evaluations per image (one latent with one embedding), forward passes.</summary>
    public required double EvaluationsPerImage { get; init; }

    /// <summary>How many of those evaluations were followed by a backward pass.</summary>
    public double BackwardsPerImage { get; init; }

    /// <summary>How often a gradient overflowed in a float16 network and was recomputed with a smaller scale; 0 in other precisions.</summary>
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

    /// <summary>Keeps the tensors alive, on this thread, until the lease is disposed.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    internal UseGate.Lease Use() => _gate.Use();

    /// <summary>Frees the tensors. A second call does nothing.</summary>
    public void Dispose() =>
        _gate.Close(() =>
        {
            foreach (IDisposable? item in (IDisposable?[])[StartLatents, Conditional, Unconditional, Replay, Reconstruction, Pivot])
                item?.Dispose();
        });
}
