using NullTextResearch.UNet;

namespace NullTextResearch.Planning;

/// <summary>The arithmetic of networks, counted from their configs.</summary>
public static class NetworkWork
{
    /// <summary>Text tokens of Stable Diffusion.</summary>
    public const int Tokens = 77;

    /// <summary>Every convolution, linear layer and attention of one pass through a U-Net, in the order in which they run.</summary>
    /// <param name="config">Architecture.</param>
    /// <param name="height">Height of the latents.</param>
    /// <param name="width">Width of the latents.</param>
    /// <param name="rows">Rows of the batch.</param>
    /// <param name="tokens">Text tokens.</param>
    public static IReadOnlyList<NetworkOperation> OfUNet(UNetConfig config, int height, int width, int rows = 1, int tokens = Tokens)
    {
        NetworkTape tape = new(new TapeOptions(BytesPerNumber: 4, Gradients: true));
        new UNetCourse(config, tape, tokens, makesMaps: false).Run(rows, height, width);
        return tape.Operations;
    }
}
