namespace NullTextResearch.Kernel.Engine;

/// <summary>Carries a finished error out of a language, and through nested imports.</summary>
internal sealed class CellFailedException(ErrorOutput output) : Exception(output.Message)
{
    public ErrorOutput Output { get; } = output;
}
