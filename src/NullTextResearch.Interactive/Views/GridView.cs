using System.Globalization;
using NullTextResearch.Figures;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive;

/// <summary>Pictures in rows and columns with labels, as one picture.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Png, Mime.Text])]
public sealed class GridView : Visual
{
    private readonly Lazy<GridPicture> _drawn;

    internal GridView(ImageGrid grid)
    {
        Grid = grid;
        _drawn = new Lazy<GridPicture>(grid.Draw);
    }

    /// <summary>The grid; change it using <c>with</c> and show it again.</summary>
    public ImageGrid Grid { get; }

    private protected override Rendition Draw() =>
        new(Description())
        {
            Png = () => _drawn.Value.ToPng(),
            Html = id =>
            {
                RgbImage picture = _drawn.Value.Picture;
                return Markup.View(
                    id,
                    "grid",
                    // On a narrow page it is moved sideways rather than shown too small.
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"<div style=\"overflow-x:auto\"><img alt=\"{Markup.Text(Description())}\" width=\"{picture.Width}\" "
                            + $"style=\"max-width:100%;min-width:{Math.Min(picture.Width, 640)}px;height:auto\" "
                            + $"src=\"{Markup.DataUri(picture)}\"></div>"
                    )
                );
            },
        };

    private string Description()
    {
        IEnumerable<string> rows = Grid.Rows.Select(
            (row, r) =>
                (Grid.RowLabels is { } labels ? $"{labels[r].ReplaceLineEndings(" ")}: " : "")
                + string.Join(
                    " | ",
                    row.Select(
                        (cell, c) =>
                            cell is null
                                ? ""
                                : string.Join(" ", new[] { Grid.ColumnLabels?[c], cell.Label?.ReplaceLineEndings(" ") }.Where(t => !string.IsNullOrEmpty(t)))
                    )
                )
        );
        return string.Join('\n', new[] { Grid.Title, Grid.Subtitle }.OfType<string>().Concat(rows));
    }
}
