using NullTextResearch.Text;

namespace NullTextResearch.Benchmarks;

/// <summary>The data sets that studies can name.</summary>
/// <param name="all">The data sets; their names differ.</param>
public sealed class EditDatasets(params IReadOnlyList<EditDatasetSource> all)
{
    /// <summary>The data sets of this library.</summary>
    public static EditDatasets Shipped { get; } =
        new(
            new EditDatasetSource
            {
                Id = "toy-edit",
                Summary = $"up to {ToyEditDataset.MostTasks} edits of rendered held-out scenes, with their true results",
                Open = data => new ToyEditDataset(data.Count ?? ToyEditDataset.MostTasks),
            },
            new EditDatasetSource
            {
                Id = "pie",
                Summary = "PIE-Bench, from a folder in its published layout",
                NeedsFolder = true,
                Open = data =>
                {
                    PieDataset whole = new(data.Folder!);
                    return data.Count is { } count ? new EditSubset(whole, count) : whole;
                },
            }
        );

    /// <summary>All data sets.</summary>
    public IReadOnlyList<EditDatasetSource> All { get; } = all;

    /// <summary>Finds a data set by its name.</summary>
    /// <param name="id">The name.</param>
    /// <exception cref="ArgumentException">There is none of that name; the message lists the available ones.</exception>
    public EditDatasetSource Find(string id) =>
        All.FirstOrDefault(d => d.Id == id)
        ?? throw new ArgumentException(
            $"there is no data set '{id}'; "
                + (All.Count == 0 ? "list pictures in \"images\" instead" : $"available: {string.Join(", ", All.Select(d => d.Id))}")
                + Spelling.Hint(id, All.Select(d => d.Id))
        );
}
