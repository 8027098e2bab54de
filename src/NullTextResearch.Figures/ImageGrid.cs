using NullTextResearch.Images;
using NullTextResearch.Metrics;
using SkiaSharp;

namespace NullTextResearch.Figures;

/// <summary>Rows and columns of pictures with labels, drawn with the embedded font.</summary>
public sealed record ImageGrid
{
    /// <summary>The cells, row by row; rows may differ in length, null leaves a cell empty. At least one cell.</summary>
    public required IReadOnlyList<IReadOnlyList<GridCell?>> Rows { get; init; }

    /// <summary>Title above the grid, or null (default).</summary>
    public string? Title { get; init; }

    /// <summary>Smaller text below the title, or null (default).</summary>
    public string? Subtitle { get; init; }

    /// <summary>Text above every column, as many as the longest row has cells, or null (default).</summary>
    public IReadOnlyList<string>? ColumnLabels { get; init; }

    /// <summary>Text left of every row, as many as rows, or null (default).</summary>
    public IReadOnlyList<string>? RowLabels { get; init; }

    /// <summary>Pictures with a longer side below this are enlarged by the smallest whole factor that reaches it (default 160 pixels, 1 to 2048).</summary>
    public int MinimumCellSize { get; init; } = 160;

    /// <summary>Pictures with a longer side above this are reduced to it (default 256 pixels; at least <see cref="MinimumCellSize"/>).</summary>
    public int MaximumCellSize { get; init; } = 256;

    /// <summary>Space between cells in pixels, 0 to 200 (default 8).</summary>
    public int Gap { get; init; } = 8;

    /// <summary>Size of label text in pixels, 8 to 64 (default 15); titles are larger in proportion.</summary>
    public int FontSize { get; init; } = 15;

    /// <summary>A film strip: pictures in order, in one row or wrapped into several.</summary>
    /// <param name="images">The pictures, at least one.</param>
    /// <param name="labels">Text beneath each, as many as pictures, or null.</param>
    /// <param name="perRow">Pictures per row; 0 (default) puts all into one.</param>
    /// <returns>A grid, to be modified with <c>with</c> or drawn.</returns>
    /// <exception cref="ArgumentException">There is no picture, or the counts differ.</exception>
    public static ImageGrid FilmStrip(IReadOnlyList<RgbImage> images, IReadOnlyList<string>? labels = null, int perRow = 0)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfNegative(perRow);
        if (images.Count == 0 || (labels is not null && labels.Count != images.Count))
        {
            throw new ArgumentException(
                $"A film strip needs pictures and as many labels, got {images.Count} and {labels?.Count.ToString(Csv.Culture) ?? "none"}.",
                nameof(images)
            );
        }

        GridCell[] cells = [.. images.Select((image, i) => new GridCell(image) { Label = labels?[i] })];
        return new ImageGrid { Rows = [.. cells.Chunk(perRow == 0 ? cells.Length : perRow)] };
    }

    /// <summary>
    /// A picture followed by one heat map per word, with the word and the map's entropy beneath. All maps share one scale: multiples of an even share.
    /// </summary>
    /// <param name="image">The picture.</param>
    /// <param name="words">The words, at least one.</param>
    /// <param name="maps">
    /// For every word its map, row by row, <paramref name="mapWidth"/> x <paramref name="mapHeight"/> values of any non-negative scale.
    /// </param>
    /// <param name="mapWidth">Columns of a map.</param>
    /// <param name="mapHeight">Rows of a map.</param>
    /// <param name="perRow">Cells per row; 0 (default) puts all into one.</param>
    /// <returns>A grid, to be modified with <c>with</c> or drawn.</returns>
    /// <exception cref="ArgumentException">The counts or sizes differ.</exception>
    public static ImageGrid AttentionMaps(RgbImage image, IReadOnlyList<string> words, IReadOnlyList<float[]> maps, int mapWidth, int mapHeight, int perRow = 0)
    {
        ArgumentNullException.ThrowIfNull(words);
        ArgumentNullException.ThrowIfNull(maps);
        if (words.Count == 0 || words.Count != maps.Count)
        {
            throw new ArgumentException($"Every word needs its map, got {words.Count} words and {maps.Count} maps.", nameof(maps));
        }

        (RgbImage[] overlays, string scale) = HeatmapOverlay.OnOneScale(image, maps, mapWidth, mapHeight);
        IEnumerable<string> labels = words.Zip(maps, (word, map) => string.Create(Csv.Culture, $"{word}\n{MapStatistics.Entropy(map):0.0} bits"));
        return FilmStrip([image, .. overlays], ["image", .. labels], perRow) with { Subtitle = scale };
    }

    /// <summary>Draws the grid as PNG.</summary>
    /// <returns>The bytes of a PNG file.</returns>
    /// <exception cref="ArgumentException">Cells, labels or sizes do not fit together; the message lists every problem.</exception>
    public byte[] ToPng() => Draw().ToPng();

    /// <summary>Draws the grid.</summary>
    /// <returns>The picture and the position of each cell in it.</returns>
    /// <exception cref="ArgumentException">Cells, labels or sizes do not fit together; the message lists every problem.</exception>
    public GridPicture Draw()
    {
        Check();
        int columns = Rows.Max(row => row.Count);
        (int Width, int Height)[][] sizes = [.. Rows.Select(row => row.Select(cell => cell is null ? (0, 0) : ShownSize(cell.Image)).ToArray())];
        int[] columnWidths = [.. Enumerable.Range(0, columns).Select(c => Math.Max(1, sizes.Max(row => c < row.Length ? row[c].Width : 0)))];
        int[] imageHeights = [.. sizes.Select(row => row.Length == 0 ? 0 : row.Max(size => size.Height))];

        using LabelFont labels = new(FontSize, SKColor.Parse(Theme.Ink));
        using LabelFont heads = new(FontSize, SKColor.Parse(Theme.Ink), bold: true);
        using LabelFont title = new(FontSize * 1.35f, SKColor.Parse(Theme.Ink), bold: true);
        using LabelFont subtitle = new(FontSize, SKColor.Parse(Theme.Muted));
        int margin = Math.Max(12, FontSize);
        int labelGap = FontSize / 3;

        // Row labels: as wide as their longest line, at most a cell and a half.
        IReadOnlyList<string>[] rowLabels = [.. Enumerable.Range(0, Rows.Count).Select(r => heads.Wrap(RowLabels?[r], columnWidths.Max()))];
        int rowLabelWidth = rowLabels.Any(lines => lines.Count > 0)
            ? (int)MathF.Ceiling(rowLabels.SelectMany(lines => lines).Max(heads.Width)) + Gap + labelGap
            : 0;
        IReadOnlyList<string>[] columnLabels = [.. Enumerable.Range(0, columns).Select(c => heads.Wrap(ColumnLabels?[c], columnWidths[c]))];
        IReadOnlyList<string>[][] cellLabels = [.. Rows.Select(row => row.Select((cell, c) => labels.Wrap(cell?.Label, columnWidths[c])).ToArray())];

        int left = margin + rowLabelWidth;
        int width = left + columnWidths.Sum() + (Gap * (columns - 1)) + margin;
        IReadOnlyList<string> titleLines = title.Wrap(Title, width - (2 * margin));
        IReadOnlyList<string> subtitleLines = subtitle.Wrap(Subtitle, width - (2 * margin));

        int titleTop = margin;
        int subtitleTop = titleTop + Lines(titleLines, title);
        int headTop = subtitleTop + Lines(subtitleLines, subtitle) + (titleLines.Count + subtitleLines.Count > 0 ? Gap : 0);
        int headHeight = columnLabels.Max(lines => Lines(lines, heads));
        int[] rowTops = new int[Rows.Count];
        int y = headTop + headHeight + (headHeight > 0 ? labelGap : 0);
        for (int r = 0; r < Rows.Count; r++)
        {
            rowTops[r] = y;
            int labelHeight = cellLabels[r].Length == 0 ? 0 : cellLabels[r].Max(lines => Lines(lines, labels));
            int rowHeight = imageHeights[r] + (labelHeight > 0 ? labelGap + labelHeight : 0);
            y += Math.Max(rowHeight, Lines(rowLabels[r], heads)) + Gap;
        }

        int height = y - Gap + margin;
        using SKBitmap bitmap = new(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using SKCanvas canvas = new(bitmap);
        canvas.Clear(SKColors.White);
        title.Draw(canvas, titleLines, margin, titleTop, SKTextAlign.Left);
        subtitle.Draw(canvas, subtitleLines, margin, subtitleTop, SKTextAlign.Left);
        int[] columnLefts = [.. columnWidths.Select((_, c) => left + columnWidths[..c].Sum() + (Gap * c))];
        for (int c = 0; c < columns; c++)
        {
            int top = headTop + headHeight - Lines(columnLabels[c], heads);
            heads.Draw(canvas, columnLabels[c], columnLefts[c] + (columnWidths[c] / 2f), top, SKTextAlign.Center);
        }

        List<IReadOnlyList<CellPlace?>> places = [];
        for (int r = 0; r < Rows.Count; r++)
        {
            float labelTop = rowTops[r] + Math.Max(0, (imageHeights[r] - Lines(rowLabels[r], heads)) / 2f);
            heads.Draw(canvas, rowLabels[r], left - Gap - labelGap, labelTop, SKTextAlign.Right);
            CellPlace?[] rowPlaces = new CellPlace?[Rows[r].Count];
            for (int c = 0; c < Rows[r].Count; c++)
            {
                if (Rows[r][c] is not { } cell)
                {
                    continue;
                }

                (int w, int h) = sizes[r][c];
                CellPlace place = new(columnLefts[c] + ((columnWidths[c] - w) / 2), rowTops[r] + ((imageHeights[r] - h) / 2), w, h);
                DrawCell(canvas, cell, place);
                labels.Draw(canvas, cellLabels[r][c], columnLefts[c] + (columnWidths[c] / 2f), rowTops[r] + imageHeights[r] + labelGap, SKTextAlign.Center);
                rowPlaces[c] = place;
            }

            places.Add(rowPlaces);
        }

        return new GridPicture(Pixels.FromBitmap(bitmap), places);

        static int Lines(IReadOnlyList<string> lines, LabelFont font) => (int)(lines.Count * font.LineHeight);
    }

    private void DrawCell(SKCanvas canvas, GridCell cell, CellPlace place)
    {
        using SKBitmap picture = Pixels.ToBitmap(cell.Image);
        using SKImage image = SKImage.FromBitmap(picture);
        SKSamplingOptions sampling =
            place.Width >= cell.Image.Width ? new SKSamplingOptions(SKFilterMode.Nearest) : new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear);
        canvas.DrawImage(image, SKRect.Create(place.X, place.Y, place.Width, place.Height), sampling);
        if (cell.Highlight)
        {
            // The frame lies in the gap, outside the picture: no pixel of a result is painted over.
            int stroke = Math.Clamp(Gap / 2, 1, 4);
            using SKPaint frame = new()
            {
                Color = SKColor.Parse(Theme.Color(1)),
                Style = SKPaintStyle.Stroke,
                StrokeWidth = stroke,
                IsAntialias = false,
            };
            canvas.DrawRect(place.X - (stroke / 2f), place.Y - (stroke / 2f), place.Width + stroke, place.Height + stroke, frame);
        }
    }

    private (int Width, int Height) ShownSize(RgbImage image)
    {
        int longer = Math.Max(image.Width, image.Height);
        if (longer > MaximumCellSize)
        {
            return (
                Math.Max(1, (int)Math.Round((double)image.Width * MaximumCellSize / longer)),
                Math.Max(1, (int)Math.Round((double)image.Height * MaximumCellSize / longer))
            );
        }

        int factor = (MinimumCellSize + longer - 1) / longer;
        return (image.Width * Math.Max(1, factor), image.Height * Math.Max(1, factor));
    }

    private void Check()
    {
        List<string> problems = [];
        if (!Rows.Any(row => row.Any(cell => cell is not null)))
        {
            problems.Add("it has no picture");
        }

        int columns = Rows.Count == 0 ? 0 : Rows.Max(row => row.Count);
        if (ColumnLabels is { } columnLabels && columnLabels.Count != columns)
        {
            problems.Add($"it has {columns} columns but {columnLabels.Count} column labels");
        }

        if (RowLabels is { } rowLabels && rowLabels.Count != Rows.Count)
        {
            problems.Add($"it has {Rows.Count} rows but {rowLabels.Count} row labels");
        }

        if (MinimumCellSize is < 1 or > 2048 || MaximumCellSize < MinimumCellSize || MaximumCellSize > 4096)
        {
            problems.Add($"cell sizes {MinimumCellSize} to {MaximumCellSize} are out of range: 1 to 2048, the maximum not below the minimum and at most 4096");
        }

        if (Gap is < 0 or > 200 || FontSize is < 8 or > 64)
        {
            problems.Add($"Gap {Gap} (0 to 200) or FontSize {FontSize} (8 to 64) is out of range");
        }

        if (problems.Count > 0)
        {
            throw new ArgumentException($"The image grid '{Title}' cannot be drawn: {string.Join("; ", problems)}.");
        }
    }
}
