using NullTextResearch.Images;

namespace NullTextResearch.Benchmarks;

/// <summary>Decides whether an edit did what its task asks for, by a classifier for example.</summary>
public interface IEditJudge
{
    /// <summary>Name and version. Part of every judged record: results judged by another one are judged again, from their pictures.</summary>
    string Id { get; }

    /// <summary>Judges an edited picture. Called by one thread at a time.</summary>
    /// <param name="task">What was asked for.</param>
    /// <param name="edited">The edited picture, at the size at which the model worked.</param>
    /// <returns>Whether the edit succeeded; null if this cannot be decided for such a task.</returns>
    bool? Judge(EditTask task, RgbImage edited);
}
