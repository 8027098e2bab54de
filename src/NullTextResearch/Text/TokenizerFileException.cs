namespace NullTextResearch.Text;

/// <summary>The files of a tokenizer are missing or do not fit together.</summary>
public sealed class TokenizerFileException : IOException
{
    /// <summary>Names the file and what is wrong with it.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="problem">What was expected, what came, what to try.</param>
    /// <param name="inner">The underlying error, if any.</param>
    public TokenizerFileException(string path, string problem, Exception? inner = null)
        : base($"{path}: {problem}", inner)
    {
        FilePath = path;
    }

    /// <summary>The file or folder.</summary>
    public string FilePath { get; }
}
