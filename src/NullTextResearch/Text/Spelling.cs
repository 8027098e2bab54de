namespace NullTextResearch.Text;

/// <summary>Suggests known words for a mistyped one.</summary>
public static class Spelling
{
    /// <summary>The known words nearest to an unknown one, nearest first.</summary>
    /// <param name="word">The word; letter case is ignored.</param>
    /// <param name="known">Words to choose from.</param>
    /// <param name="most">Maximum number of words to return.</param>
    /// <returns>Words that differ by at most one change per three letters; empty if none is that near.</returns>
    public static IReadOnlyList<string> Nearest(string word, IEnumerable<string> known, int most = 3)
    {
        ArgumentNullException.ThrowIfNull(word);
        ArgumentNullException.ThrowIfNull(known);
        // The work grows with the square of the length, and nothing that long is a typo in one word.
        if (word.Length is < 2 or > 100)
            return [];
        int allowed = word.Length / 3;
        return
        [
            .. known
                .Distinct(StringComparer.Ordinal)
                .Where(candidate => Math.Abs(candidate.Length - word.Length) <= allowed)
                .Select(candidate => (Word: candidate, Changes: Distance(word.ToLowerInvariant(), candidate.ToLowerInvariant())))
                .Where(c => c.Changes <= allowed)
                .OrderBy(c => c.Changes)
                .ThenBy(c => c.Word, StringComparer.Ordinal)
                .Take(most)
                .Select(c => c.Word),
        ];
    }

    /// <summary>The nearest words as the end of a sentence: <c>; did you mean 'a' or 'b'?</c>, or an empty string.</summary>
    /// <param name="word">The word.</param>
    /// <param name="known">Words to choose from.</param>
    public static string Hint(string word, IEnumerable<string> known)
    {
        IReadOnlyList<string> nearest = Nearest(word, known);
        return nearest.Count == 0 ? "" : $"; did you mean {string.Join(" or ", nearest.Select(n => $"'{n}'"))}?";
    }

    /// <summary>Minimum number of letters inserted, removed, replaced, or swapped with their neighbour (optimal string alignment).</summary>
    internal static int Distance(string a, string b)
    {
        int[,] changes = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    changes[i, j] = i + j;
                    continue;
                }

                int best = Math.Min(Math.Min(changes[i - 1, j], changes[i, j - 1]) + 1, changes[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    best = Math.Min(best, changes[i - 2, j - 2] + 1);
                changes[i, j] = best;
            }
        }

        return changes[a.Length, b.Length];
    }
}
