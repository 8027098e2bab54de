using NullTextResearch.Images;
using NullTextResearch.Metrics;

namespace NullTextResearch.Benchmarks;

/// <summary>A set of edits with pictures, masks and, where it is known, the true result. Safe for concurrent reads.</summary>
public interface IEditDataset
{
    /// <summary>Name, such as "toy-edit" or "pie".</summary>
    string Name { get; }

    /// <summary>
    /// Hash of everything that results depend on (tasks, pictures, masks, truths), in hexadecimal. Merged tables name it. Keys of results hold the hashes of
    /// their own task instead, so that a set can grow, and one picture be mended, without computing the others anew.
    /// </summary>
    string Fingerprint { get; }

    /// <summary>All tasks, in a fixed order.</summary>
    IReadOnlyList<EditTask> Tasks { get; }

    /// <summary>Hash of the pixels of a task's picture: tasks with equal hashes and source prompts share one inversion.</summary>
    /// <param name="task">One of <see cref="Tasks"/>.</param>
    string PictureHash(EditTask task);

    /// <summary>The picture before the edit, at the data set's own size.</summary>
    /// <param name="task">One of <see cref="Tasks"/>.</param>
    RgbImage Picture(EditTask task);

    /// <summary>Where the edit may change the picture (inside), or null if it may change all of it.</summary>
    /// <param name="task">One of <see cref="Tasks"/>.</param>
    RegionMask? Mask(EditTask task);

    /// <summary>The true result, or null where nobody knows it.</summary>
    /// <param name="task">One of <see cref="Tasks"/>.</param>
    RgbImage? Truth(EditTask task);
}
