using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>Plain DDIM sampling: <see cref="Ddim.Move"/> and nothing else.</summary>
public sealed class DdimReplay : IReplay
{
    /// <summary>Name in files.</summary>
    public const string Kind = "ddim";

    private DdimReplay() { }

    /// <summary>The only instance; it has no state, and disposing it does nothing.</summary>
    public static DdimReplay Instance { get; } = new();

    /// <inheritdoc/>
    public ReplayData Data { get; } = ReplayData.Empty(Kind);

    /// <inheritdoc/>
    public LatentState Move(LatentState state, DiffusionStep step, Func<Tensor, Tensor> noise, BatchLayout rows) =>
        new(Ddim.Move(state.Latents, noise(state.Latents), step.Noisy, step.Clean));

    /// <inheritdoc/>
    public void Dispose() { }
}
