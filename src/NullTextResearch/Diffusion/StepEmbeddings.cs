using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>
/// The condition of each sampling step: one for all steps, or a text embedding for each (what null-text optimisation yields). Whatever a condition has beside
/// its text embedding is the same at every step. Owns its tensors.
/// </summary>
public sealed class StepEmbeddings : IDisposable
{
    private readonly UseGate _gate = new(nameof(StepEmbeddings));
    private readonly Conditioning _condition;

    private StepEmbeddings(Conditioning condition, bool perStep)
    {
        _condition = condition;
        IsPerStep = perStep;
    }

    /// <summary>True if every step has its own embedding.</summary>
    public bool IsPerStep { get; }

    /// <summary>The text embedding: [T, B, tokens, d] if per step, [B, tokens, d] if not. Borrowed: do not dispose it.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public Tensor Values => _gate.Alive(_condition.Tokens);

    /// <summary>The condition as it is stored: <see cref="Values"/> as its tokens, and whatever it has besides. Borrowed.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public Conditioning Stored
    {
        get
        {
            _ = Values;
            return _condition;
        }
    }

    /// <summary>Number of images, B.</summary>
    public long Images => Values.shape[IsPerStep ? 1 : 0];

    /// <summary>The same condition at every step.</summary>
    /// <param name="condition">Tokens [B, tokens, d], and whatever else the network takes; copied.</param>
    public static StepEmbeddings Constant(Conditioning condition)
    {
        Shape.Require(condition.Tokens, [-1, -1, -1]);
        return new StepEmbeddings(Owned(condition, condition.Count), false);
    }

    /// <summary>One text embedding per step.</summary>
    /// <param name="condition">
    /// Tokens [T, B, tokens, d], step 0 (noisiest) first, and value tokens alike; everything else as in one step, [B, ...]; copied.
    /// </param>
    public static StepEmbeddings PerStep(Conditioning condition)
    {
        Shape.Require(condition.Tokens, [-1, -1, -1, -1]);
        return new StepEmbeddings(Owned(condition, condition.Tokens.shape[1]), true);
    }

    /// <summary>The condition of a step, B rows; views owned by the caller's dispose scope.</summary>
    /// <param name="step">0 is the noisiest.</param>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public Conditioning At(int step)
    {
        using UseGate.Lease use = _gate.Use();
        return _condition.Map((name, value) => IsPerStep && Conditioning.IsText(name) ? value.select(0, step) : value.alias());
    }

    /// <summary>The embeddings of one image, as a separate set; owned by the caller.</summary>
    /// <param name="index">Which image.</param>
    public StepEmbeddings Image(int index)
    {
        using UseGate.Lease use = _gate.Use();
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        return new StepEmbeddings(
            _condition.Map((name, value) => value.narrow(IsPerStep && Conditioning.IsText(name) ? 1 : 0, index, 1)).Snapshot(),
            IsPerStep
        );
    }

    /// <summary>Rows of several sets, in the given order; per step if any of the sets is. Owned by the caller.</summary>
    /// <param name="rows">At least one: a set (borrowed) and which of its rows.</param>
    /// <exception cref="ArgumentException">The sets are of different kinds: only some have a pooled embedding, for example.</exception>
    internal static StepEmbeddings Of(IReadOnlyList<(StepEmbeddings Set, int Row)> rows)
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        StepEmbeddings? varying = rows.FirstOrDefault(r => r.Set.IsPerStep).Set;
        // Everything but the tokens, joined as in one step; the tokens of sets that do not vary are the same at every step.
        Conditioning joined = Conditioning.Join([.. rows.Select(r => r.Set.At(0).Narrow(r.Row, 1))]);
        if (varying is null)
            return Constant(joined);
        long steps = varying.Values.shape[0];
        Tensor AtAllSteps(Func<Conditioning, Tensor> text) =>
            stack(
                [
                    .. rows.Select(r =>
                    {
                        Tensor all = text(r.Set.Stored);
                        return r.Set.IsPerStep ? all.select(1, r.Row) : all.select(0, r.Row).unsqueeze(0).expand(steps, -1, -1);
                    }),
                ],
                1
            );
        return PerStep(
            joined with
            {
                Tokens = AtAllSteps(c => c.Tokens),
                ValueTokens = joined.ValueTokens is null ? null : AtAllSteps(c => c.ValueTokens ?? c.Tokens),
            }
        );
    }

    /// <summary>Frees the tensors. A second call does nothing.</summary>
    public void Dispose() => _gate.Close(_condition.Free);

    private static Conditioning Owned(Conditioning condition, long images)
    {
        if (condition.ValueTokens is { } values)
            Shape.RequireSame(values, condition.Tokens);
        foreach ((string name, Tensor value) in condition.Tensors.Where(t => !Conditioning.IsText(t.Name)))
        {
            if (value.dim() != 2 || value.shape[0] != images)
                throw new ArgumentException(
                    $"{name} is {string.Join("x", value.shape)}; for {images} text embeddings it must have {images} rows of numbers.",
                    nameof(condition)
                );
        }
        return condition.Snapshot() with { Rows = null };
    }
}
