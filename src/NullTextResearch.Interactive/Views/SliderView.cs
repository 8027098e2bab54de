using System.Globalization;
using System.Text.Json;
using NullTextResearch.Figures;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive;

/// <summary>
/// Pictures computed once and selected by one or two sliders; needs no kernel, so it works in a saved notebook. Where scripts
/// do not run, all pictures are shown side by side.
/// </summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Png, Mime.Text])]
public sealed class SliderView : Visual
{
    internal SliderView(IReadOnlyList<SliderAxis> axes, IReadOnlyList<NamedImage> frames, IReadOnlyList<NamedImage> beside, string? title)
    {
        if (axes.Count is < 1 or > 2)
            throw new ArgumentException($"A picture is selected by one or two sliders, got {axes.Count}.", nameof(axes));
        foreach (SliderAxis axis in axes)
        {
            if (axis.Labels.Count == 0 || axis.Start < 0 || axis.Start >= axis.Labels.Count)
                throw new ArgumentException(
                    $"The slider '{axis.Name}' has {axis.Labels.Count} positions and starts at {axis.Start}; expected at least 1 and a start below that.",
                    nameof(axes)
                );
        }

        int needed = axes.Aggregate(1, (product, axis) => product * axis.Labels.Count);
        if (frames.Count != needed)
            throw new ArgumentException(
                $"The sliders have {needed} positions in total, but there are {frames.Count} pictures; the last slider varies fastest.",
                nameof(frames)
            );
        Axes = axes;
        Frames = frames;
        Beside = beside;
        Title = title;
    }

    /// <summary>The sliders, one or two.</summary>
    public IReadOnlyList<SliderAxis> Axes { get; }

    /// <summary>One picture per position; the last slider varies fastest.</summary>
    public IReadOnlyList<NamedImage> Frames { get; }

    /// <summary>Pictures shown next to it that do not change.</summary>
    public IReadOnlyList<NamedImage> Beside { get; }

    /// <summary>Title, or null.</summary>
    public string? Title { get; }

    /// <summary>All pictures as one grid; with two sliders, one row per position of the first.</summary>
    public GridView Grid()
    {
        int columns = Axes[^1].Labels.Count;
        return new GridView(
            new ImageGrid
            {
                Title = Title,
                Subtitle = Axes.Count == 2 ? $"across: {Axes[1].Name}; down: {Axes[0].Name}" : Axes[0].Name,
                MinimumCellSize = 128,
                ColumnLabels = Axes.Count == 2 ? Axes[1].Labels : null,
                RowLabels = Axes.Count == 2 ? Axes[0].Labels : null,
                // A single slider with many positions wraps; with two, each row is a position of the first.
                Rows = [.. Frames.Select(f => new GridCell(f.Image) { Label = f.Name }).Chunk(Axes.Count == 2 ? columns : Pictures.PerRow(columns))],
            }
        );
    }

    private protected override Rendition Draw() =>
        new(
            $"{(Title is null ? "" : Title + "\n")}{string.Join(" and ", Axes.Select(a => $"{a.Name}: {string.Join(", ", a.Labels)}"))}"
                + $"\n{string.Join(" | ", Frames.Select(f => f.Name))}"
        )
        {
            Png = () => Grid().ToPng(),
            Html = id =>
            {
                int columns = Axes[^1].Labels.Count;
                string axes = JsonSerializer.Serialize(
                    Axes.Select(a => new
                    {
                        name = a.Name,
                        labels = a.Labels,
                        start = a.Start,
                    })
                );
                string Place(int i) =>
                    Axes.Count == 2
                        ? string.Create(CultureInfo.InvariantCulture, $" data-at=\"{i / columns},{i % columns}\"")
                        : string.Create(CultureInfo.InvariantCulture, $" data-at=\"{i}\"");
                string pictures = Pictures.Table([.. Beside, .. Frames], Markup.Small, i => i < Beside.Count ? "" : Place(i - Beside.Count));
                return Markup.View(id, "slider", Pictures.Head(Title) + pictures, "slider.js", axes);
            },
        };
}
