namespace NullTextResearch.Text;

/// <summary>Turns a prompt into the fixed-length row of token ids that a text encoder reads.</summary>
/// <remarks>The extension point for other vocabularies: all later stages see only ids and word positions.</remarks>
public interface ITextTokenizer
{
    /// <summary>Number of ids in a row, start and end token included (77 for Stable Diffusion 1.x).</summary>
    int ContextLength { get; }

    /// <summary>Id that opens every row.</summary>
    int StartToken { get; }

    /// <summary>Id that closes the text of every row.</summary>
    int EndToken { get; }

    /// <summary>Tokenizes one prompt. A prompt that is too long is truncated, and the result lists the lost words.</summary>
    /// <param name="prompt">Any text; empty gives the row of the null text.</param>
    /// <returns>Ids of length <see cref="ContextLength"/> with the positions of each word.</returns>
    TokenizedPrompt Tokenize(string prompt);

    /// <summary>The text of a single token, without end-of-word mark, as figures show it under a token.</summary>
    /// <param name="id">Token id.</param>
    /// <returns>The piece; U+FFFD replaces a multi-byte character that the token holds only in part.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    string DecodePiece(int id);
}
