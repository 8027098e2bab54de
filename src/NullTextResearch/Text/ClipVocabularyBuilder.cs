using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace NullTextResearch.Text;

/// <summary>Builds a small vocabulary in CLIP's file format: chosen words become single tokens, any other text is split into bytes.</summary>
/// <remarks>
/// Ids: 256 bytes, the same 256 as word ends, one per merge, start-of-text, end-of-text. End-of-text is the highest, as CLIP's text encoder expects.
/// Merges are added one at a time, each at lowest priority, until the rule that tokenizers apply splits every word as requested. A later merge cannot
/// undo an earlier word, because it is only considered when no earlier merge fits.
/// </remarks>
public sealed class ClipVocabularyBuilder
{
    private readonly List<(string Left, string Right)> _merges = [];
    private readonly Dictionary<(string Left, string Right), int> _rank = [];

    private ClipVocabularyBuilder() { }

    /// <summary>Number of ids: 512 + distinct merged pieces + 2.</summary>
    public int VocabularySize => Pieces().Count;

    /// <summary>Finds the merges for a list of words.</summary>
    /// <param name="wholeWords">Words that become one token each: letters only, or any text that CLIP does not split.</param>
    /// <param name="splitWords">Words that become two tokens, each with its first piece ("snowy" with "snow"); null for none.</param>
    /// <returns>The vocabulary; <see cref="Save"/> writes it.</returns>
    /// <exception cref="ArgumentException">
    /// A word is not lower case, CLIP splits it, it does not begin with its first piece, or the words contradict each other.
    /// </exception>
    public static ClipVocabularyBuilder Build(IEnumerable<string> wholeWords, IReadOnlyDictionary<string, string>? splitWords = null)
    {
        ArgumentNullException.ThrowIfNull(wholeWords);
        ClipVocabularyBuilder builder = new ClipVocabularyBuilder();
        string[] whole = [.. wholeWords.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        (string Word, string First)[] split =
        [
            .. (splitWords ?? new Dictionary<string, string>()).Select(p => (p.Key, p.Value)).OrderBy(p => p.Key, StringComparer.Ordinal),
        ];

        foreach (string word in whole.Concat(split.Select(s => s.Word)))
        {
            CheckWord(word);
        }

        // Split words first: their pieces must form before a merge for another word can bridge the seam.
        foreach ((string word, string first) in split)
        {
            if (first.Length == 0 || first.Length >= word.Length || !word.StartsWith(first, StringComparison.Ordinal))
            {
                throw new ArgumentException($"'{first}' cannot be the first piece of '{word}'", nameof(splitWords));
            }

            if (whole.Contains(word))
            {
                throw new ArgumentException($"'{word}' is listed as one token and as two", nameof(splitWords));
            }

            builder.Teach(word, ByteAlphabet.Spell(first).Length);
        }

        foreach (string word in whole)
        {
            builder.Teach(word, seam: null);
        }

        foreach ((string word, string first) in split)
        {
            List<string> pieces = builder.Apply(word);
            if (pieces.Count != 2 || pieces[0] != ByteAlphabet.Spell(first))
            {
                throw new ArgumentException(
                    $"'{word}' cannot be split after '{first}' together with the other words: it becomes {string.Join(" + ", pieces)}",
                    nameof(splitWords)
                );
            }
        }

        return builder;
    }

    /// <summary>Writes <c>vocab.json</c>, <c>merges.txt</c>, <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c>.</summary>
    /// <param name="folder">The model's <c>tokenizer/</c> folder; created if missing.</param>
    /// <param name="contextLength">Written as <c>model_max_length</c>.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public void Save(string folder, int contextLength = ClipTokenizer.DefaultContextLength)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentOutOfRangeException.ThrowIfLessThan(contextLength, 3);
        Directory.CreateDirectory(folder);

        // Readable pieces instead of escapes; the file is data, not a web page.
        JsonSerializerOptions options = new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        StringBuilder merges = new StringBuilder("#version: 0.2\n");
        foreach ((string left, string right) in _merges)
        {
            merges.Append(left).Append(' ').Append(right).Append('\n');
        }

        Write("merges.txt", merges.ToString());

        JsonSerializerOptions indented = new JsonSerializerOptions(options) { WriteIndented = true, NewLine = "\n" };
        Write(
            "tokenizer_config.json",
            JsonSerializer.Serialize(
                new
                {
                    add_prefix_space = false,
                    bos_token = ClipText.StartOfText,
                    do_lower_case = true,
                    eos_token = ClipText.EndOfText,
                    errors = "replace",
                    model_max_length = contextLength,
                    pad_token = ClipText.EndOfText,
                    tokenizer_class = "CLIPTokenizer",
                    unk_token = ClipText.EndOfText,
                },
                indented
            ) + "\n"
        );
        Write(
            "special_tokens_map.json",
            JsonSerializer.Serialize(
                new
                {
                    bos_token = ClipText.StartOfText,
                    eos_token = ClipText.EndOfText,
                    pad_token = ClipText.EndOfText,
                    unk_token = ClipText.EndOfText,
                },
                indented
            ) + "\n"
        );

        // Written last: if it exists, the folder is complete.
        IEnumerable<KeyValuePair<string, int>> vocabulary = Pieces().Select((piece, id) => KeyValuePair.Create(piece, id));
        Write("vocab.json", JsonSerializer.Serialize(new OrderedDictionary<string, int>(vocabulary), options) + "\n");

        void Write(string name, string text) => WholeFile.Write(Path.Combine(folder, name), Encoding.UTF8.GetBytes(text));
    }

    private static void CheckWord(string word)
    {
        List<string> parts = ClipText.Split(word);
        if (
            word.Length == 0
            || word != ClipText.Lower(ClipText.CleanWhiteSpace(word))
            || parts.Count != 1
            || word is ClipText.StartOfText or ClipText.EndOfText
        )
        {
            throw new ArgumentException(
                $"'{word}' cannot become a token: it must be lower case and a single word for CLIP (it splits into: {string.Join(" | ", parts)})"
            );
        }
    }

    /// <summary>Adds merges until the word is one piece, or two pieces that meet at the seam.</summary>
    private void Teach(string word, int? seam)
    {
        while (true)
        {
            // The first boundary that should not be there.
            List<string> pieces = Apply(word);
            int boundary = -1,
                at = 0;
            bool seamKept = seam is null;
            for (int i = 0; i + 1 < pieces.Count; i++)
            {
                at += pieces[i].Length;
                seamKept |= at == seam;
                if (at != seam && boundary < 0)
                {
                    boundary = i;
                }
            }

            if (!seamKept)
            {
                throw new ArgumentException($"'{word}' cannot be split as requested together with the other words: it becomes {string.Join(" + ", pieces)}");
            }

            if (boundary < 0)
            {
                return;
            }

            (string Left, string Right) merge = (pieces[boundary], pieces[boundary + 1]);
            _rank.Add(merge, _merges.Count);
            _merges.Add(merge);
        }
    }

    private List<string> Apply(string word)
    {
        List<string> pieces = [.. ByteAlphabet.Spell(word).Select(c => c.ToString())];
        pieces[^1] += ByteAlphabet.EndOfWord;
        while (true)
        {
            int best = int.MaxValue;
            for (int i = 0; i + 1 < pieces.Count; i++)
            {
                best = Math.Min(best, _rank.GetValueOrDefault((pieces[i], pieces[i + 1]), int.MaxValue));
            }

            if (best == int.MaxValue)
            {
                return pieces;
            }

            for (int i = 0; i + 1 < pieces.Count; i++)
            {
                if ((pieces[i], pieces[i + 1]) == _merges[best])
                {
                    pieces[i] += pieces[i + 1];
                    pieces.RemoveAt(i + 1);
                }
            }
        }
    }

    private List<string> Pieces()
    {
        string[] bytes = [.. ByteAlphabet.VocabularyOrder.Select(c => c.ToString())];
        IEnumerable<string> ends = bytes.Select(b => b + ByteAlphabet.EndOfWord);

        // Two merges may give the same piece (ab + c, a + bc): one id.
        return [.. bytes.Concat(ends).Concat(_merges.Select(m => m.Left + m.Right)).Distinct(StringComparer.Ordinal), ClipText.StartOfText, ClipText.EndOfText];
    }
}
