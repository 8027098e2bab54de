namespace NullTextResearch.Figures;

/// <summary>A result, or the reason why there is none.</summary>
/// <typeparam name="T">Kind of result.</typeparam>
public readonly record struct Attempt<T>
    where T : class
{
    private Attempt(T? result, string? reason) => (Result, Reason) = (result, reason);

    /// <summary>The result; null where there is none.</summary>
    public T? Result { get; }

    /// <summary>Why there is none, a sentence or two; null where there is one.</summary>
    public string? Reason { get; }

    /// <summary>A result.</summary>
    public static Attempt<T> Of(T result) => new(result, null);

    /// <summary>No result.</summary>
    /// <param name="reason">Why.</param>
    public static Attempt<T> Refused(string reason) => new(null, reason);
}
