using System.Runtime.CompilerServices;

namespace NullTextResearch.Text;

/// <summary>The words of a model that was trained only on a fixed list of words, such as sd-mini.</summary>
/// <remarks>
/// Its tokenizer accepts any text, but splits a word that is not on the list into bytes that training never saw: the model then shows something other
/// than requested. An open vocabulary such as CLIP's has no such list, and its words are not checked.
/// A word of one character is a piece in every vocabulary; whether training saw it is unknown, so it passes.
/// </remarks>
public sealed class ClosedVocabulary
{
    // Words that describe nothing visible: a prompt of only these and unknown words means nothing to the model.
    private static readonly HashSet<string> NamesNothing = new(
        (
            "a an the this that these those some any of in on at to from by with without for and or next near under over into as is are was be it its "
            + "beside left right here there one we see view weather "
            + "photo photograph picture image painting drawing drawn sketch pencil made"
        ).Split(' '),
        StringComparer.Ordinal
    );

    private static readonly ConditionalWeakTable<ClipTokenizer, Lazy<ClosedVocabulary?>> Known = [];

    private readonly ClipTokenizer _tokenizer;

    private ClosedVocabulary(ClipTokenizer tokenizer, IReadOnlyList<string> words)
    {
        _tokenizer = tokenizer;
        Words = words;
    }

    /// <summary>All words of two characters or more, sorted by ordinal.</summary>
    public IReadOnlyList<string> Words { get; }

    /// <summary>The list of words that a tokenizer was made from; null if its vocabulary is open.</summary>
    /// <param name="tokenizer">A model's tokenizer.</param>
    public static ClosedVocabulary? Of(ITextTokenizer tokenizer) =>
        tokenizer is ClipTokenizer clip ? Known.GetValue(clip, key => new Lazy<ClosedVocabulary?>(() => Find(key))).Value : null;

    /// <summary>Checks prompts before a model uses them: rejects those that mean nothing to it, and reports words that it does not know.</summary>
    /// <param name="model">Name of the model, for messages.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="prompts">The prompts; an empty one is always fine.</param>
    /// <returns>Notes for the user: one sentence for each prompt with unknown words; none for a model with an open vocabulary.</returns>
    /// <exception cref="UnknownWordsException">The model knows none of the words that could describe a prompt's picture.</exception>
    public static IReadOnlyList<string> Check(string model, ITextTokenizer tokenizer, params IEnumerable<string> prompts)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        if (Of(tokenizer) is not { } vocabulary)
            return [];
        List<string> notes = [];
        foreach (string prompt in prompts.Distinct(StringComparer.Ordinal))
        {
            string[] words = [.. WordsOf(prompt).Distinct(StringComparer.Ordinal)];
            string[] unknown = [.. words.Where(w => !vocabulary.Knows(w))];
            if (unknown.Length == 0)
                continue;
            string named = string.Join(
                ", ",
                unknown.Select(w => vocabulary.Near(w) is { Count: > 0 } near ? $"'{w}' (near: {string.Join(", ", near)})" : $"'{w}'")
            );
            string known = $"its words are: {string.Join(", ", vocabulary.Words)}";
            if (unknown.Any(w => !NamesNothing.Contains(w)) && !words.Any(w => vocabulary.Knows(w) && w.Length > 1 && !NamesNothing.Contains(w)))
                throw new UnknownWordsException(
                    $"\"{prompt}\" means nothing to {model}, which does not know {named}; {known}. Use these words, or a model with an open "
                        + "vocabulary, such as Stable Diffusion.",
                    unknown
                );
            notes.Add($"{model} does not know {named} in \"{prompt}\", and will show something else; {known}.");
        }

        return notes;
    }

    /// <summary>Whether the model was trained on a word.</summary>
    /// <param name="word">One word without punctuation; letter case is ignored.</param>
    public bool Knows(string word) => _tokenizer.Tokenize(word).RequiredTokenCount <= 1;

    private IReadOnlyList<string> Near(string word) => Spelling.Nearest(word, Words);

    private static IEnumerable<string> WordsOf(string prompt) =>
        ClipText
            .Split(ClipText.Lower(ClipText.CleanWhiteSpace(CanonicalForm.Compose(prompt))))
            .Where(part => !char.IsPunctuation(part[0]) && part is not (ClipText.StartOfText or ClipText.EndOfText));

    // Byte pairs learned from text are frequent pieces from anywhere in a word. Merges that only assemble the words of a list are beginnings of these
    // words: half of the first fifty merges of CLIP's vocabulary are not.
    private static ClosedVocabulary? Find(ClipTokenizer tokenizer)
    {
        string[] merged =
        [
            .. Enumerable
                .Range(0, tokenizer.VocabularySize)
                .Where(id => id != tokenizer.StartToken && id != tokenizer.EndToken)
                .Select(tokenizer.RawPiece)
                .Where(piece => piece is not null && Stem(piece).Length > 1),
        ];
        string[] words = [.. merged.Where(IsWord).Select(Stem).Order(StringComparer.Ordinal)];
        if (words.Length == 0 || !merged.Where(p => !IsWord(p)).All(BeginsAWord))
            return null;
        return new ClosedVocabulary(tokenizer, [.. words.Select(ByteAlphabet.Read)]);

        bool BeginsAWord(string piece)
        {
            int at = Array.BinarySearch(words, piece, StringComparer.Ordinal);
            return at >= 0 || (~at < words.Length && words[~at].StartsWith(piece, StringComparison.Ordinal));
        }
    }

    private static bool IsWord(string piece) => piece.EndsWith(ByteAlphabet.EndOfWord, StringComparison.Ordinal);

    private static string Stem(string piece) => IsWord(piece) ? piece[..^ByteAlphabet.EndOfWord.Length] : piece;
}
