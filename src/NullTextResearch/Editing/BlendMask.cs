using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>
/// Masks of a <see cref="LocalBlend"/>; all boolean [2, 1, H, W]. Row 0 is the source's mask, row 1 the union of the target's and the source's. Owns its
/// tensors.
/// </summary>
/// <param name="words">See <see cref="Words"/>; ownership is taken.</param>
/// <param name="subtract">See <see cref="Subtract"/>; ownership is taken.</param>
/// <param name="final">See <see cref="Final"/>; ownership is taken.</param>
public sealed class BlendMask(Tensor words, Tensor? subtract, Tensor final) : IDisposable
{
    private readonly UseGate _gate = new(nameof(BlendMask));

    /// <summary>Mask of the words to blend.</summary>
    public Tensor Words => _gate.Alive(words);

    /// <summary>Mask of the words to subtract; null if there are none.</summary>
    public Tensor? Subtract => _gate.Alive(subtract);

    /// <summary>Mask of the words minus that of the subtracted ones; row 1 blends the target's latents.</summary>
    public Tensor Final => _gate.Alive(final);

    /// <summary>Frees the masks. Calling it again has no effect.</summary>
    public void Dispose() =>
        _gate.Close(() =>
        {
            words.Dispose();
            subtract?.Dispose();
            final.Dispose();
        });
}
