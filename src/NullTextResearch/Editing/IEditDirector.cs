using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>
/// Directs the branches of one run, the images and their edited versions side by side. <see cref="EditRun"/> loops over the steps; the director decides what
/// happens inside the network and to the latents before and after each step. Owns its tensors.
/// </summary>
public interface IEditDirector : IDisposable
{
    /// <summary>
    /// The hook inside the network; by default the director itself if it is one, else plain attention, for editors of latents or prompts alone.
    /// </summary>
    INetworkHook Hook => this as INetworkHook ?? FusedAttention.Instance;

    /// <summary>Changes the sampling plan: the start, the first step or the replay (default: nothing).</summary>
    /// <param name="plan">Start, prompts, guidance and rows, as in the inversion; borrowed.</param>
    /// <param name="network">The network with <see cref="Hook"/> installed, for editors that evaluate it before sampling starts.</param>
    /// <returns>A plan with the same rows; new tensors live in the current dispose scope; a new replay belongs to the director.</returns>
    SamplingPlan Plan(SamplingPlan plan, INoisePredictor network) => plan;

    /// <summary>Changes latents before a step; the input itself (default) if nothing changes.</summary>
    /// <param name="at">The next step.</param>
    /// <param name="latents">[rows, 4, H, W]; borrowed.</param>
    /// <returns>In the current dispose scope.</returns>
    Tensor Before(EditStep at, Tensor latents) => latents;

    /// <summary>The guided noise prediction of all rows; classifier-free guidance in one network call (default).</summary>
    /// <param name="at">The step.</param>
    /// <param name="latents">[rows, 4, H, W]; borrowed.</param>
    /// <returns>[rows, 4, H, W], in the current dispose scope.</returns>
    Tensor Predict(EditStep at, Tensor latents) => Sampler.Predict(at.Network, at.Plan, at.Step, latents);

    /// <summary>Changes latents after a step; the input itself (default) if nothing changes.</summary>
    /// <param name="at">The step just taken.</param>
    /// <param name="latents">[rows, 4, H, W]; borrowed.</param>
    /// <returns>In the current dispose scope.</returns>
    Tensor After(EditStep at, Tensor latents) => latents;

    /// <summary>Masks that confined the edit, per image and target, null if there was none; owned by the caller.</summary>
    /// <param name="edits">The edits.</param>
    /// <param name="height">Height of the latents.</param>
    /// <param name="width">Width of the latents.</param>
    IReadOnlyList<IReadOnlyList<BlendMask?>> Masks(IReadOnlyList<ImageEdit> edits, long height, long width) =>
        [.. edits.Select(e => (IReadOnlyList<BlendMask?>)[.. e.Targets.Select(_ => (BlendMask?)null)])];

    /// <summary>Attention maps of the run, or null if they were not kept; ownership passes to the caller.</summary>
    AttentionStore? TakeMaps() => null;
}
