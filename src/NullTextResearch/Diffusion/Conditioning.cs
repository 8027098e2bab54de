using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>
/// Everything that a network receives for a batch besides latents and time. Tensors are borrowed; a tensor of tokens converts implicitly, which is all that
/// Stable Diffusion 1.x and 2.x need.
/// </summary>
/// <param name="Tokens">Text embedding, [B, tokens, d].</param>
/// <param name="Pooled">Embedding of each prompt as a whole, [B, p], as in SDXL and Stable Diffusion 3; null if the network takes none.</param>
/// <param name="Extra">Further numbers per row, [B, k], such as SDXL's sizes and crops; null if the network takes none.</param>
/// <param name="DistilledGuidance">The guidance scale that a distilled network takes as an input, as FLUX does; null if the network takes none.</param>
public sealed record Conditioning(Tensor Tokens, Tensor? Pooled = null, Tensor? Extra = null, double? DistilledGuidance = null)
{
    /// <summary>
    /// Text embedding behind the values of cross-attention, in the shape of <see cref="Tokens"/>, which then serve for the keys alone; null if one embedding
    /// serves for both.
    /// </summary>
    public Tensor? ValueTokens { get; init; }

    /// <summary>What each row is; null if the caller does not say: every row then counts as the source of its own image.</summary>
    public BatchLayout? Rows { get; init; }

    /// <summary>Rows of the batch, B.</summary>
    public long Count => Tokens.shape[0];

    /// <summary>Its tensors by name, the tokens first.</summary>
    internal IEnumerable<(string Name, Tensor Value)> Tensors =>
        new (string Name, Tensor? Value)[] { (nameof(Tokens), Tokens), (nameof(ValueTokens), ValueTokens), (nameof(Pooled), Pooled), (nameof(Extra), Extra) }
            .Where(t => t.Value is not null)
            .Select(t => (t.Name, t.Value!));

    /// <summary>Whether a tensor of the name is a text embedding, which may differ from step to step.</summary>
    internal static bool IsText(string name) => name is nameof(Tokens) or nameof(ValueTokens);

    /// <summary>The same condition with its text embedding for the values named, even where it is the one for the keys. Borrowed.</summary>
    internal Conditioning WithValueTokens() => ValueTokens is null ? this with { ValueTokens = Tokens } : this;

    /// <summary>Whether gradients of one of its tensors are recorded.</summary>
    internal bool RequiresGradient => Tensors.Any(t => t.Value.requires_grad);

    /// <summary>The text embedding alone.</summary>
    /// <param name="tokens">[B, tokens, d]; borrowed.</param>
    public static implicit operator Conditioning(Tensor tokens) => new(tokens);

    /// <summary>The rows of several conditions, one after another; what the rows are is not known any more.</summary>
    /// <param name="parts">At least one; borrowed.</param>
    /// <returns>Copies, owned by the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">Only some have a pooled embedding, extra numbers or a distilled guidance scale.</exception>
    public static Conditioning Join(params IReadOnlyList<Conditioning> parts)
    {
        if (parts.Any(p => p.ValueTokens is not null))
            parts = [.. parts.Select(p => p.WithValueTokens())];
        foreach (Conditioning part in parts.Skip(1))
            part.RequireKind(parts[0]);
        return parts[0].Map((name, _) => cat([.. parts.Select(p => p.Tensors.First(t => t.Name == name).Value)], 0)) with { Rows = null };
    }

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
    /// <param name="first">Its first row.</param>
    /// <param name="count">Number of rows.</param>
    public Conditioning Narrow(long first, long count) => Map((_, value) => value.narrow(0, first, count)) with { Rows = Rows?.Narrow((int)first, (int)count) };

    /// <summary>Some of the rows, in the given order; copies owned by the caller's dispose scope. What the rows are is left to the caller.</summary>
    /// <param name="index">Row numbers, int64 [n]; borrowed.</param>
    public Conditioning Select(Tensor index) => Map((_, value) => value.index_select(0, index)) with { Rows = null };

    /// <summary>One row for each of several; views owned by the caller's dispose scope.</summary>
    /// <param name="count">Number of rows; a condition that has as many already is returned as it is.</param>
    /// <exception cref="ShapeMismatchException">It has more than one row, and not as many.</exception>
    public Conditioning Expand(long count)
    {
        if (Count == count)
            return this;
        Shape.Require(Tokens, [1, -1, -1]);
        return Map((_, value) => value.expand([count, .. value.shape[1..]])) with { Rows = null };
    }

    /// <summary>The batch of classifier-free guidance: an unconditional embedding for every row, then this one.</summary>
    /// <param name="unconditional">As many rows, or one for all; borrowed.</param>
    /// <returns>Copies, owned by the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">Only one of them has a pooled embedding, extra numbers or a distilled guidance scale.</exception>
    public Conditioning Guided(Conditioning unconditional)
    {
        unconditional = unconditional.Expand(Count);
        RequireSame(unconditional, this);
        return Join(unconditional, this) with { Rows = Layout().Guided() };
    }

    /// <summary>Rejects conditions of different shape or kind.</summary>
    /// <exception cref="ShapeMismatchException">A shape differs.</exception>
    /// <exception cref="ArgumentException">Only one of them has a pooled embedding, extra numbers or a distilled guidance scale.</exception>
    internal static void RequireSame(Conditioning actual, Conditioning expected)
    {
        if (actual.ValueTokens is not null || expected.ValueTokens is not null)
            (actual, expected) = (actual.WithValueTokens(), expected.WithValueTokens());
        actual.RequireKind(expected);
        foreach (((string _, Tensor value), (string _, Tensor other)) in actual.Tensors.Zip(expected.Tensors))
            Shape.RequireSame(value, other);
    }

    /// <summary>Rejects everything besides tokens.</summary>
    /// <param name="network">What takes tokens alone, for the message.</param>
    /// <exception cref="ArgumentException">There is more.</exception>
    internal void RequireTokensAlone(string network)
    {
        if (Pooled is not null || Extra is not null || DistilledGuidance is not null)
            throw new ArgumentException($"{network} takes a text embedding alone, but the condition also has {Others()}.");
    }

    /// <summary>The same operation on each of its tensors.</summary>
    /// <param name="of">Name and tensor to a tensor.</param>
    internal Conditioning Map(Func<string, Tensor, Tensor> of) =>
        this with
        {
            Tokens = of(nameof(Tokens), Tokens),
            ValueTokens = ValueTokens is null ? null : of(nameof(ValueTokens), ValueTokens),
            Pooled = Pooled is null ? null : of(nameof(Pooled), Pooled),
            Extra = Extra is null ? null : of(nameof(Extra), Extra),
        };

    /// <summary>The same operation on each pair of tensors of two conditions.</summary>
    /// <param name="other">Same shapes; borrowed.</param>
    /// <param name="of">Both tensors to one.</param>
    internal Conditioning Zip(Conditioning other, Func<Tensor, Tensor, Tensor> of)
    {
        if (ValueTokens is null && other.ValueTokens is not null)
            return WithValueTokens().Zip(other, of);
        if (ValueTokens is not null)
            other = other.WithValueTokens();
        RequireSame(other, this);
        return Map((name, value) => of(value, other.Tensors.First(t => t.Name == name).Value));
    }

    /// <summary>Its tensors moved to the enclosing dispose scope.</summary>
    internal Conditioning MoveToOuterDisposeScope() => Map((_, value) => value.MoveToOuterDisposeScope());

    /// <summary>Copies that belong to no dispose scope.</summary>
    internal Conditioning Snapshot() => Map((_, value) => value.Snapshot());

    /// <summary>Frees its tensors; for those who own them.</summary>
    internal void Free()
    {
        foreach ((string _, Tensor value) in Tensors)
            value.Dispose();
    }

    private void RequireKind(Conditioning expected)
    {
        if ((Pooled is null, Extra is null, DistilledGuidance) != (expected.Pooled is null, expected.Extra is null, expected.DistilledGuidance))
            throw new ArgumentException(
                $"Conditions for one call of a network must be of one kind, but one has {expected.Others()} beside its tokens and the other has {Others()}."
            );
    }

    private string Others()
    {
        List<string> others = [.. Tensors.Where(t => !IsText(t.Name)).Select(t => t.Name == nameof(Pooled) ? "a pooled embedding" : "extra numbers")];
        if (DistilledGuidance is { } scale)
            others.Add(FormattableString.Invariant($"a distilled guidance scale of {scale}"));
        return others.Count == 0 ? "nothing" : string.Join(" and ", others);
    }
}
