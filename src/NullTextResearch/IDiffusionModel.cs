using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Images;
using NullTextResearch.Text;
using static TorchSharp.torch;

namespace NullTextResearch;

/// <summary>
/// A loaded text-to-image model of any family: all that inversion, editing and experiments know of it. <see cref="StableDiffusion"/> is one; implement it for a
/// network of your own. Owns its networks.
/// </summary>
public interface IDiffusionModel : IDisposable
{
    /// <summary>Name, for messages and tables.</summary>
    string Name { get; }

    /// <summary>Where its networks are; embeddings and latents are made there.</summary>
    Device Device { get; }

    /// <summary>The image sizes that it accepts.</summary>
    SizeRule Sizes { get; }

    /// <summary>Its tokenizer.</summary>
    ITextTokenizer Tokenizer { get; }

    /// <summary>The folder that it was loaded from, with what else lies there, such as a classifier; null (default) if there is none.</summary>
    string? Folder => null;

    /// <summary>A hash of everything that decides its results, under which experiments keep them; may read all its files.</summary>
    /// <exception cref="InvalidOperationException">It is not known; experiments then need one from the caller.</exception>
    string Fingerprint();

    /// <summary>Embeds prompts.</summary>
    /// <param name="prompts">At least one.</param>
    /// <returns>B rows, in the dtype of the latents; owned by the caller's dispose scope.</returns>
    /// <exception cref="PromptTooLongException">A prompt does not fit the context.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    Conditioning Embed(params IReadOnlyList<string> prompts);

    /// <summary>Embeds tokenized prompts.</summary>
    /// <param name="prompts">At least one, by <see cref="Tokenizer"/>.</param>
    /// <returns>B rows, in the dtype of the latents; owned by the caller's dispose scope.</returns>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    Conditioning Embed(IReadOnlyList<TokenizedPrompt> prompts);

    /// <summary>Latents of images.</summary>
    /// <param name="images">All of one size that <see cref="Sizes"/> allows.</param>
    /// <returns>z_0, [B, channels, h, w], about standard normal; owned by the caller's dispose scope.</returns>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    Tensor Encode(IReadOnlyList<RgbImage> images);

    /// <summary>Images of latents.</summary>
    /// <param name="latents">[B, channels, h, w]; borrowed.</param>
    /// <returns>One per row.</returns>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    RgbImage[] Decode(Tensor latents);

    /// <summary>
    /// Its network as a predictor of noise. A network that predicts a velocity or the direction of a flow is wrapped in <see cref="VelocityPredictor"/> or
    /// <see cref="FlowPredictor"/>.
    /// </summary>
    /// <param name="hook">Computes attention and sees features; borrowed. Null for fused attention.</param>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    INoisePredictor Predictor(INetworkHook? hook = null);

    /// <summary>Its noise levels at T steps.</summary>
    /// <param name="steps">T.</param>
    TimestepGrid Grid(int steps);
}
