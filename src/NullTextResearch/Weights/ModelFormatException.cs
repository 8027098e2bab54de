namespace NullTextResearch.Weights;

/// <summary>A file of a model folder is missing, unreadable or asks for something this library does not support.</summary>
public sealed class ModelFormatException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ModelFormatException(string message, Exception? inner = null)
        : base(message, inner) { }

    internal static ModelFormatException Of(UnreadableFileException e) => new(e.Message, e);
}
