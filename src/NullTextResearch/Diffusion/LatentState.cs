using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>
/// The state of a sampler: the latents, and whatever else it carries from step to step (the second of a pair, or earlier latents). Owns nothing.
/// </summary>
/// <param name="Latents">z, [rows, 4, H, W]: what becomes the image.</param>
public sealed record LatentState(Tensor Latents)
{
    /// <summary>Further latents of the same shape; none for most samplers.</summary>
    public IReadOnlyList<Tensor> More { get; init; } = [];

    /// <summary>Every tensor, the latents first.</summary>
    public IEnumerable<Tensor> All => More.Prepend(Latents);

    /// <summary>Applies the same change to all of its latents.</summary>
    /// <param name="change">Takes latents and returns latents of the same shape, or the same tensor.</param>
    public LatentState Select(Func<Tensor, Tensor> change) => new(change(Latents)) { More = [.. More.Select(change)] };

    internal LatentState MoveToOuterDisposeScope() => Select(t => t.MoveToOuterDisposeScope());
}
