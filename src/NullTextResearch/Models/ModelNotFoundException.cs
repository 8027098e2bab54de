namespace NullTextResearch.Models;

/// <summary>The requested model is not on this machine, or is incomplete.</summary>
public sealed class ModelNotFoundException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="model">The requested model.</param>
    /// <param name="message">What was looked for, and the command that downloads it.</param>
    public ModelNotFoundException(ModelName model, string message)
        : base(message)
    {
        Model = model;
    }

    /// <summary>The requested model.</summary>
    public ModelName Model { get; }
}
