namespace NullTextResearch;

/// <summary>
/// A report of long work. All reports of the library are of this kind, and <see cref="IProgress{T}"/> is contravariant: an
/// <c>IProgress&lt;WorkProgress&gt;</c> can be given wherever progress is reported.
/// </summary>
/// <param name="Stage">The current activity, in a few words.</param>
public abstract record WorkProgress(string Stage)
{
    /// <summary>How much of the stage is done; at most <see cref="Total"/>, unless that is 0.</summary>
    public abstract double Done { get; }

    /// <summary>The stage's total, in the same unit; 0 if it is not known.</summary>
    public abstract double Total { get; }

    /// <summary>The same in words, such as <c>step 3 of 50</c>.</summary>
    public abstract string Where { get; }
}
