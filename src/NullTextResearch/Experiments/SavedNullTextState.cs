using NullTextResearch.Inversion;
using static TorchSharp.torch;

namespace NullTextResearch.Experiments;

/// <summary>The state of an interrupted run, as read back. Owns its tensors.</summary>
public sealed class SavedNullTextState : IDisposable
{
    internal SavedNullTextState(NullTextState state) => State = state;

    /// <summary>The state from which <see cref="NullTextInversion"/> resumes; borrowed.</summary>
    public NullTextState State { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        State.Pivot.Dispose();
        foreach (Tensor embedding in State.Embeddings)
            embedding.Dispose();
        State.Latents.Dispose();
    }
}
