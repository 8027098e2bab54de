using NullTextResearch.Figures;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive;

/// <summary>One image inverted by several methods and edited by several editors: pictures side by side, and a table. Holds no tensors.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Png, Mime.Text])]
public sealed class MethodComparison : Visual
{
    internal MethodComparison(MethodTable data) => Data = data;

    /// <summary>Pictures and numbers, with the grid and the table that <c>nulltext compare</c> writes.</summary>
    public MethodTable Data { get; }

    /// <summary>The rows, in the order of the given methods.</summary>
    public IReadOnlyList<ComparedMethod> Methods => Data.Methods;

    /// <summary>The row of a method.</summary>
    /// <param name="method">Its name, as given to the comparison.</param>
    /// <exception cref="ArgumentException">It was not compared.</exception>
    public ComparedMethod this[string method] =>
        Methods.FirstOrDefault(m => m.Name == method)
        ?? throw new ArgumentException($"There is no method '{method}'; compared methods: {string.Join(", ", Methods.Select(m => m.Name))}.", nameof(method));

    /// <summary>A method's inversion of the image.</summary>
    /// <param name="method">Its name, as given to the comparison.</param>
    /// <exception cref="ArgumentException">It was not compared.</exception>
    /// <exception cref="InvalidOperationException">The method failed; the message says why.</exception>
    public ComparedInversion Inversion(string method) => Made(method, this[method].Inversion);

    /// <summary>An editor's result from a method's inversion.</summary>
    /// <param name="method">Its name, as given to the comparison.</param>
    /// <param name="editor">Id of the editor; null takes the first.</param>
    /// <exception cref="ArgumentException">The method or the editor was not compared.</exception>
    /// <exception cref="InvalidOperationException">The two cannot be combined; the message says why.</exception>
    public ComparedEdit Edit(string method, string? editor = null)
    {
        int index = editor is null ? 0 : Data.Editors.ToList().IndexOf(editor);
        if (index < 0 || Data.Editors.Count == 0)
            throw new ArgumentException($"There is no edit by '{editor}'; compared editors: {string.Join(", ", Data.Editors)}.", nameof(editor));
        Inversion(method);
        return Made($"{method} with {Data.Editors[index]}", this[method].Edits[index]);
    }

    /// <summary>PSNR of a method's reconstruction against the image, dB; infinite if they are identical.</summary>
    /// <param name="method">Its name, as given to the comparison.</param>
    /// <exception cref="ArgumentException">It was not compared.</exception>
    /// <exception cref="InvalidOperationException">The method failed; the message says why.</exception>
    public double Psnr(string method) => Metrics.Psnr.Of(Inversion(method).Reconstruction, Data.Source);

    /// <summary>The pictures, a row per method.</summary>
    public GridView Grid() => new(Data.Grid());

    /// <summary>The numbers, a row per method and editor.</summary>
    public TableView Table() => new(Data.Table());

    /// <summary>Bar chart of the PSNR against the image, for the reconstruction and the edits. Missing results leave a gap.</summary>
    public ChartView Chart() =>
        new(
            new BarChart
            {
                Title = "Likeness to the image",
                XAxis = new Axis("method"),
                YAxis = new Axis("PSNR", "dB"),
                Height = 340,
                Categories = [.. Methods.Select(m => m.Name)],
                Series =
                [
                    new BarSeries("reconstruction", [.. Methods.Select(m => Data.Psnr(m) ?? double.NaN)]),
                    .. Data.Editors.Select(
                        (editor, e) =>
                            new BarSeries(
                                $"edit by {editor}",
                                [
                                    .. Methods.Select(m =>
                                        m.Edits.ElementAtOrDefault(e).Result is { } made ? Metrics.Psnr.Of(made.Picture, Data.Source) : double.NaN
                                    ),
                                ]
                            )
                    ),
                ],
                HorizontalLines = Methods.Select(m => m.Inversion.Result).OfType<ComparedInversion>().FirstOrDefault() is { } any
                    ? [new ReferenceLine("autoencoder", Metrics.Psnr.Of(any.RoundTrip, Data.Source))]
                    : [],
            }
        );

    private static T Made<T>(string name, Attempt<T> attempt)
        where T : class => attempt.Result ?? throw new InvalidOperationException($"{name}: {attempt.Reason}");

    private protected override Rendition Draw() =>
        StackView.Of([Grid(), new TableView(Data.Table(notes: false)), .. Data.Notes() is { } notes ? (Visual[])[new TableView(notes)] : []]);
}
