using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>
/// Masks of a <see cref="LocalBlend"/>; all boolean [2, 1, H, W], row 0 the source's own, row 1 the target's joined with it. Owns its tensors.
/// </summary>
/// <param name="words">See <see cref="Words"/>; taken over.</param>
/// <param name="subtract">See <see cref="Subtract"/>; taken over.</param>
/// <param name="final">See <see cref="Final"/>; taken over.</param>
public sealed class BlendMask(Tensor words, Tensor? subtract, Tensor final) : IDisposable
{
    private readonly UseGate _gate = new(nameof(BlendMask));

    /// <summary>Where the words to blend are.</summary>
    public Tensor Words => _gate.Alive(words);

    /// <summary>Where the words to subtract are, if there are any.</summary>
    public Tensor? Subtract => _gate.Alive(subtract);

    /// <summary>Words without subtracted ones; row 1 is what the target's latents are blended by.</summary>
    public Tensor Final => _gate.Alive(final);

    /// <summary>Frees the masks. A second time nothing happens.</summary>
    public void Dispose() =>
        _gate.Close(() =>
        {
            words.Dispose();
            subtract?.Dispose();
            final.Dispose();
        });
}
