using NullTextResearch.Images;
using NullTextResearch.Metrics;

namespace NullTextResearch.Benchmarks;

/// <summary>The first tasks of a data set.</summary>
public sealed class EditSubset : IEditDataset
{
    private readonly IEditDataset _whole;

    /// <summary>Takes tasks from the front.</summary>
    /// <param name="whole">The data set.</param>
    /// <param name="count">Number of tasks, from 1 to all.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many tasks.</exception>
    public EditSubset(IEditDataset whole, int count)
    {
        ArgumentNullException.ThrowIfNull(whole);
        if (count < 1 || count > whole.Tasks.Count)
            throw new ArgumentOutOfRangeException(nameof(count), count, $"The data set '{whole.Name}' has {whole.Tasks.Count} tasks; take 1 to all of them.");
        _whole = whole;
        Tasks = [.. whole.Tasks.Take(count)];
    }

    /// <inheritdoc/>
    public string Name => _whole.Name;

    /// <summary>That of the whole data set: which of its tasks are taken does not change what they are.</summary>
    public string Fingerprint => _whole.Fingerprint;

    /// <inheritdoc/>
    public IReadOnlyList<EditTask> Tasks { get; }

    /// <inheritdoc/>
    public string PictureHash(EditTask task) => _whole.PictureHash(task);

    /// <inheritdoc/>
    public RgbImage Picture(EditTask task) => _whole.Picture(task);

    /// <inheritdoc/>
    public RegionMask? Mask(EditTask task) => _whole.Mask(task);

    /// <inheritdoc/>
    public RgbImage? Truth(EditTask task) => _whole.Truth(task);
}
