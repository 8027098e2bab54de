using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>
/// Directs the branches of one run, the images and their edited versions side by side. The loop over steps is not its business
/// (<see cref="EditRun"/>); it says what happens inside the network, and to latents before and after a step. Owns its tensors.
/// </summary>
public interface IEditDirector : IDisposable
{
    /// <summary>What happens inside the network.</summary>
    INetworkHook Hook { get; }

    /// <summary>Changes what is sampled: the start, the first step, the way back (default: nothing).</summary>
    /// <param name="plan">Start, prompts, guidance and rows as the inversion has them; borrowed.</param>
    /// <param name="network">The network with <see cref="Hook"/> inside, for editors that look before they start.</param>
    /// <returns>A plan with the same rows; new tensors live in the current dispose scope, a new replay is the director's own.</returns>
    SamplingPlan Plan(SamplingPlan plan, INoisePredictor network) => plan;

    /// <summary>Changes latents before a step; the input itself (default) where nothing changes.</summary>
    /// <param name="at">The step to come.</param>
    /// <param name="latents">[rows, 4, H, W]; borrowed.</param>
    /// <returns>In the current dispose scope.</returns>
    Tensor Before(EditStep at, Tensor latents) => latents;

    /// <summary>The guided noise prediction of all rows; classifier-free guidance in one network call (default).</summary>
    /// <param name="at">The step.</param>
    /// <param name="latents">[rows, 4, H, W]; borrowed.</param>
    /// <returns>[rows, 4, H, W], in the current dispose scope.</returns>
    Tensor Predict(EditStep at, Tensor latents) => Sampler.Predict(at.Network, at.Plan, at.Step, latents);

    /// <summary>Changes latents after a step; the input itself (default) where nothing changes.</summary>
    /// <param name="at">The step just made.</param>
    /// <param name="latents">[rows, 4, H, W]; borrowed.</param>
    /// <returns>In the current dispose scope.</returns>
    Tensor After(EditStep at, Tensor latents) => latents;

    /// <summary>Different layers of the network that have called so far.</summary>
    int LayersSeen { get; }

    /// <summary>Masks that confined the edit, per image and target, null where there was none; owned by the caller.</summary>
    /// <param name="edits">The edits.</param>
    /// <param name="height">Height of the latents.</param>
    /// <param name="width">Width of the latents.</param>
    IReadOnlyList<IReadOnlyList<BlendMask?>> Masks(IReadOnlyList<ImageEdit> edits, long height, long width) =>
        [.. edits.Select(e => (IReadOnlyList<BlendMask?>)[.. e.Targets.Select(_ => (BlendMask?)null)])];

    /// <summary>Attention maps of the run, where they were to be kept; owned by the caller from now on.</summary>
    AttentionStore? TakeMaps() => null;
}
