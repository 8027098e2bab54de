using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>A text embedding per sampling step: one for all steps, or one each (what null-text optimisation yields).</summary>
public sealed class StepEmbeddings : IDisposable
{
    private readonly UseGate _gate = new(nameof(StepEmbeddings));
    private readonly Tensor _values;

    private StepEmbeddings(Tensor values, bool perStep)
    {
        _values = values;
        IsPerStep = perStep;
    }

    /// <summary>True if every step has its own embedding.</summary>
    public bool IsPerStep { get; }

    /// <summary>The tensor: [T, B, tokens, d] if per step, [B, tokens, d] if not. Borrowed: do not dispose it.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public Tensor Values => _gate.Alive(_values);

    /// <summary>Number of images, B.</summary>
    public long Images => Values.shape[IsPerStep ? 1 : 0];

    /// <summary>The same embedding at every step.</summary>
    /// <param name="embedding">[B, tokens, d]; copied.</param>
    public static StepEmbeddings Constant(Tensor embedding)
    {
        Shape.Require(embedding, [-1, -1, -1]);
        return new StepEmbeddings(embedding.Snapshot(), false);
    }

    /// <summary>One embedding per step.</summary>
    /// <param name="embeddings">[T, B, tokens, d], step 0 (noisiest) first; copied.</param>
    public static StepEmbeddings PerStep(Tensor embeddings)
    {
        Shape.Require(embeddings, [-1, -1, -1, -1]);
        return new StepEmbeddings(embeddings.Snapshot(), true);
    }

    /// <summary>The embedding of a step, [B, tokens, d]; a view owned by the caller's dispose scope.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public Tensor At(int step)
    {
        using UseGate.Lease use = _gate.Use();
        return IsPerStep ? _values.select(0, step) : _values.alias();
    }

    /// <summary>The embeddings of one image, as a separate set; owned by the caller.</summary>
    public StepEmbeddings Image(int index)
    {
        using UseGate.Lease use = _gate.Use();
        using Tensor one = _values.narrow(IsPerStep ? 1 : 0, index, 1);
        return new StepEmbeddings(one.Snapshot(), IsPerStep);
    }

    /// <summary>Frees the tensor. A second call does nothing.</summary>
    public void Dispose() => _gate.Close(_values.Dispose);
}
