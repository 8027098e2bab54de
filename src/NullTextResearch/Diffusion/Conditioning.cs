using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>Everything that a network receives for a batch besides latents and time. Tensors are borrowed; a tensor of tokens converts implicitly.</summary>
/// <param name="Tokens">Text embedding, [B, tokens, d].</param>
public sealed record Conditioning(Tensor Tokens)
{
    /// <summary>What each row is; null if the caller does not say: every row then counts as the source of its own image.</summary>
    public BatchLayout? Rows { get; init; }

    /// <summary>Rows of the batch, B.</summary>
    public long Count => Tokens.shape[0];

    /// <summary>The text embedding alone.</summary>
    /// <param name="tokens">[B, tokens, d]; borrowed.</param>
    public static implicit operator Conditioning(Tensor tokens) => new(tokens);

    /// <summary>What its rows are: as given, or one source each.</summary>
    /// <exception cref="ArgumentException">The layout has a different number of rows.</exception>
    public BatchLayout Layout()
    {
        if (Rows is null)
            return BatchLayout.Sources((int)Count);
        if (Rows.Count != Count)
            throw new ArgumentException($"The layout has {Rows.Count} rows ({Rows}) but the embedding has {Count}.");
        return Rows;
    }

    /// <summary>A contiguous part of the batch; views owned by the caller's dispose scope.</summary>
    public Conditioning Narrow(long first, long count) => this with { Tokens = Tokens.narrow(0, first, count), Rows = Rows?.Narrow((int)first, (int)count) };

    /// <summary>The batch of classifier-free guidance: an unconditional embedding for every row, then this one.</summary>
    /// <param name="unconditional">[B, tokens, d], or one row for all; borrowed.</param>
    /// <returns>Copies, owned by the caller's dispose scope.</returns>
    public Conditioning Guided(Tensor unconditional)
    {
        if (unconditional.shape[0] != Count)
            unconditional = unconditional.expand(Tokens.shape);
        Shape.RequireSame(unconditional, Tokens);
        return new Conditioning(cat([unconditional, Tokens], 0)) { Rows = Layout().Guided() };
    }
}
