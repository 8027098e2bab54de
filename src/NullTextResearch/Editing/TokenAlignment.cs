using NullTextResearch.Tensors;
using NullTextResearch.Text;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>Which source token each target token takes its cross-attention map from.</summary>
/// <remarks>Hertz et al. 2022 (prompt-to-prompt); rules of the released aligner.</remarks>
public static class TokenAlignment
{
    /// <summary>The mapper of a word swap.</summary>
    /// <param name="source">Source prompt.</param>
    /// <param name="target">Target prompt, with the same number of words.</param>
    /// <param name="tail">Rule for the tokens after the last changed word.</param>
    /// <param name="dtype">Floating-point type of the result.</param>
    /// <param name="device">Device of the result; null for the CPU.</param>
    /// <returns>
    /// M, [source tokens, target tokens]: injected map = source map times M; owned by the caller's dispose scope. A changed
    /// word with as many tokens as before is mapped token by token; otherwise each of its source tokens spreads evenly over
    /// its target tokens. Under <see cref="TailRule.Corrected"/> every row sums to 1, so injected maps stay normalised:
    /// padding pushed beyond the context is collected in the last position.
    /// </returns>
    /// <exception cref="WordCountMismatchException">The numbers of words differ.</exception>
    public static Tensor Replacement(
        TokenizedPrompt source,
        TokenizedPrompt target,
        TailRule tail = TailRule.Corrected,
        ScalarType dtype = ScalarType.Float32,
        Device? device = null
    )
    {
        RequireOneContext(source, target);
        if (source.Words.Count != target.Words.Count)
            throw new WordCountMismatchException(source, target);
        int tokens = source.ContextLength;
        float[] mapper = new float[tokens * tokens];
        Queue<int> changed = new Queue<int>(
            Enumerable
                .Range(0, source.Words.Count)
                .Where(w => source.Words[w] != target.Words[w] && source.PositionsOfWordAt(w).Count > 0 && target.PositionsOfWordAt(w).Count > 0)
        );
        int i = 0,
            j = 0;
        while (i < tokens && j < tokens)
        {
            if (changed.TryPeek(out int word) && source.PositionsOfWordAt(word)[0] == i)
            {
                changed.Dequeue();
                IReadOnlyList<int> from = source.PositionsOfWordAt(word),
                    to = target.PositionsOfWordAt(word);
                for (int a = 0; a < from.Count; a++)
                {
                    for (int b = 0; b < to.Count; b++)
                    {
                        if (from.Count != to.Count)
                            mapper[from[a] * tokens + to[b]] = (float)(1.0 / to.Count);
                        else if (a == b)
                            mapper[from[a] * tokens + to[b]] = 1;
                    }
                }
                i += from.Count;
                j += to.Count;
            }
            else
            {
                bool isTail = changed.Count == 0;
                mapper[(isTail && tail == TailRule.Published ? j : i) * tokens + j] = 1;
                i++;
                j++;
            }
        }
        // Deviation from the released code, which drops these maps: source padding that no longer fits.
        for (; tail == TailRule.Corrected && i < tokens; i++)
            mapper[i * tokens + tokens - 1] = 1;
        return Lifetime.Scoped(() => tensor(mapper, [tokens, tokens]).to(dtype, device ?? CPU));
    }

    /// <summary>The alignment of a refinement: global alignment (Needleman-Wunsch) of the token ids, start and end token included.</summary>
    /// <param name="source">Source prompt.</param>
    /// <param name="target">Target prompt.</param>
    /// <returns>Source position per target position. Padding maps to itself.</returns>
    /// <remarks>Match 1, mismatch -1, gap 0; among equal scores a gap in the source wins, then a gap in the target, then the diagonal.</remarks>
    public static RefinementAlignment Refinement(TokenizedPrompt source, TokenizedPrompt target)
    {
        RequireOneContext(source, target);
        int n = source.TokenCount + 2,
            m = target.TokenCount + 2;
        int[,] score = new int[n + 1, m + 1];
        // With gap 0 the borders of the table are 0.
        for (int i = 1; i <= n; i++)
        {
            for (int j = 1; j <= m; j++)
            {
                int diagonal = score[i - 1, j - 1] + (source.Ids[i - 1] == target.Ids[j - 1] ? 1 : -1);
                score[i, j] = Math.Max(Math.Max(score[i, j - 1], score[i - 1, j]), diagonal);
            }
        }
        int[] sources = [.. Enumerable.Range(0, target.ContextLength)];
        for (int i = n, j = m; j > 0; )
        {
            if (i == 0 || score[i, j] == score[i, j - 1])
                sources[--j] = -1;
            else if (score[i, j] == score[i - 1, j])
                i--;
            else
                sources[--j] = --i;
        }
        return new RefinementAlignment(sources);
    }

    private static void RequireOneContext(TokenizedPrompt source, TokenizedPrompt target)
    {
        if (source.ContextLength != target.ContextLength)
            throw new ArgumentException(
                $"Both prompts need the same context length; the source has {source.ContextLength}, the target {target.ContextLength}. Tokenize both with the "
                    + "same tokenizer.",
                nameof(target)
            );
    }
}
