namespace NullTextResearch.Models;

/// <summary>A model was named that is not on this machine, or not complete.</summary>
public sealed class ModelNotFoundException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="model">The model that was asked for.</param>
    /// <param name="message">What was looked for, and the command that fetches it.</param>
    public ModelNotFoundException(ModelName model, string message)
        : base(message)
    {
        Model = model;
    }

    /// <summary>The model that was asked for.</summary>
    public ModelName Model { get; }
}
