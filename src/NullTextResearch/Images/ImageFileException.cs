namespace NullTextResearch.Images;

/// <summary>An image file is missing, damaged, too large or in an unsupported format.</summary>
public sealed class ImageFileException : IOException
{
    /// <summary>Names the file, what is wrong with it and what to try.</summary>
    /// <param name="path">The file.</param>
    /// <param name="problem">The problem, worded for the user.</param>
    /// <param name="inner">The underlying error, if any.</param>
    public ImageFileException(string path, string problem, Exception? inner = null)
        : base($"image '{path}': {problem}", inner)
    {
        ImagePath = path;
    }

    /// <summary>The file, as the caller named it.</summary>
    public string ImagePath { get; }
}
