using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>Images edited by SDEdit. Owns its tensor.</summary>
public sealed class SdEditResult : IDisposable
{
    private readonly UseGate _gate = new(nameof(SdEditResult));

    /// <summary>z_0, [B, 4, H, W].</summary>
    /// <exception cref="ObjectDisposedException">The result was disposed.</exception>
    public required Tensor Latents
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>Moves taken: int(t0 T).</summary>
    public required int Moves { get; init; }

    /// <summary>Total network evaluations.</summary>
    public required long Evaluations { get; init; }

    /// <summary>Elapsed time.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Options used.</summary>
    public required SdEditOptions Options { get; init; }

    /// <summary>Frees the tensor. Calling it again has no effect.</summary>
    public void Dispose() => _gate.Close(() => Latents.Dispose());
}
