namespace NullTextResearch.Diffusion;

/// <summary>
/// Says what each row of a batch is. The caller of a network passes it with the call (<see cref="Conditioning.Rows"/>), and hooks inside the network receive
/// it, so no code has to know the order of rows or guess it from the batch size.
/// </summary>
public sealed class BatchLayout
{
    private readonly BatchRow[] _rows;

    /// <summary>Rows in the order of the batch.</summary>
    /// <param name="rows">At least one.</param>
    public BatchLayout(IEnumerable<BatchRow> rows)
    {
        _rows = [.. rows];
        if (_rows.Length == 0)
            throw new ArgumentException("A batch needs at least one row.", nameof(rows));
        ConditionalRows = [.. _rows.Where(r => r.IsConditional)];
        FirstConditional = Array.FindIndex(_rows, r => r.IsConditional);
        IsHalved = FirstConditional < 0 || _rows.Skip(FirstConditional).All(r => r.IsConditional);
    }

    /// <summary>Number of rows in the batch.</summary>
    public int Count => _rows.Length;

    /// <summary>Its rows, in order.</summary>
    public IReadOnlyList<BatchRow> Rows => _rows;

    /// <summary>One row.</summary>
    public BatchRow this[int row] => _rows[row];

    /// <summary>Index of the first conditional row, or -1.</summary>
    public int FirstConditional { get; }

    /// <summary>Whether no unconditional row follows a conditional one, so that each kind forms one block.</summary>
    public bool IsHalved { get; }

    /// <summary>Number of conditional rows.</summary>
    public int Conditional => ConditionalRows.Count;

    /// <summary>The conditional rows, in order.</summary>
    public IReadOnlyList<BatchRow> ConditionalRows { get; }

    /// <summary>One conditional source row for each of the given number of images.</summary>
    public static BatchLayout Sources(int images) => new(Enumerable.Range(0, images).Select(i => new BatchRow(i, 0)));

    /// <summary>The rows of images and their edited versions, one image after the other, each with its source first; conditional.</summary>
    /// <param name="targets">Number of edited versions of each image.</param>
    public static BatchLayout Branches(IEnumerable<int> targets) =>
        new(targets.SelectMany((count, image) => Enumerable.Range(0, count + 1).Select(branch => new BatchRow(image, branch))));

    /// <summary>The batch of classifier-free guidance: these rows unconditional, then the same rows conditional.</summary>
    public BatchLayout Guided() => new(_rows.Select(r => r with { IsConditional = false }).Concat(_rows.Select(r => r with { IsConditional = true })));

    /// <summary>A contiguous part of the batch.</summary>
    public BatchLayout Narrow(int first, int count) => new(_rows.AsSpan(first, count).ToArray());

    /// <summary>Some of the rows, in the given order.</summary>
    public BatchLayout Select(IEnumerable<int> rows) => new(rows.Select(r => _rows[r]));

    /// <summary>Index of a row.</summary>
    /// <exception cref="InvalidOperationException">It is not in the batch.</exception>
    public int IndexOf(BatchRow row) =>
        Array.IndexOf(_rows, row) is >= 0 and int index
            ? index
            : throw new InvalidOperationException(
                $"The batch has no {(row.IsConditional ? "conditional" : "unconditional")} row of image {row.Image}, branch {row.Branch}; it has {this}."
            );

    /// <inheritdoc/>
    public override string ToString() => string.Join(' ', _rows.Select(r => $"{(r.IsConditional ? "" : "-")}{r.Image}.{r.Branch}"));
}
