namespace NullTextResearch.Verification;

/// <summary>
/// Matches the tokens of two prompts by the block matching of Ratcliff and Obershelp (Python's SequenceMatcher): equal tokens, and runs that were
/// replaced by equally many tokens.
/// </summary>
internal sealed class TokenMatch
{
    private TokenMatch(int[] sourceOf) => SourceOf = sourceOf;

    /// <summary>For each token of the second prompt, the position of its partner in the first, or -1.</summary>
    public IReadOnlyList<int> SourceOf { get; }

    /// <summary>Matches two lists of tokens.</summary>
    public static TokenMatch Of(IReadOnlyList<int> first, IReadOnlyList<int> second)
    {
        List<(int A, int B, int Size)> blocks = [];
        Match(0, first.Count, 0, second.Count);
        blocks.Sort();
        int[] partner = [.. Enumerable.Repeat(-1, second.Count)];
        int a = 0,
            b = 0;
        foreach ((int nextA, int nextB, int size) in blocks.Append((first.Count, second.Count, 0)))
        {
            // Between two blocks: replaced by equally many tokens, or not comparable.
            if (nextA - a == nextB - b)
            {
                for (int i = 0; i < nextB - b; i++)
                    partner[b + i] = a + i;
            }
            for (int i = 0; i < size; i++)
                partner[nextB + i] = nextA + i;
            (a, b) = (nextA + size, nextB + size);
        }
        return new TokenMatch(partner);

        void Match(int lowA, int highA, int lowB, int highB)
        {
            (int bestA, int bestB, int size) = Longest(lowA, highA, lowB, highB);
            if (size == 0)
                return;
            Match(lowA, bestA, lowB, bestB);
            blocks.Add((bestA, bestB, size));
            Match(bestA + size, highA, bestB + size, highB);
        }

        // Of several longest blocks, the first in the first list, then the first in the second.
        (int A, int B, int Size) Longest(int lowA, int highA, int lowB, int highB)
        {
            (int A, int B, int Size) best = (lowA, lowB, 0);
            for (int i = lowA; i < highA; i++)
            {
                for (int j = lowB; j < highB; j++)
                {
                    int size = 0;
                    while (i + size < highA && j + size < highB && first[i + size] == second[j + size])
                        size++;
                    if (size > best.Size)
                        best = (i, j, size);
                }
            }
            return best;
        }
    }
}
