using NullTextResearch.Figures;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive;

/// <summary>One picture, inverted by several methods and edited by several editors: pictures side by side, and a table. Holds no tensors.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Png, Mime.Text])]
public sealed class MethodComparison : Visual
{
    internal MethodComparison(MethodTable data) => Data = data;

    /// <summary>Pictures and numbers, with the grid and the table that <c>nulltext compare</c> writes.</summary>
    public MethodTable Data { get; }

    /// <summary>The rows, in the order of the methods that were named.</summary>
    public IReadOnlyList<ComparedMethod> Methods => Data.Methods;

    /// <summary>What became of a method.</summary>
    /// <param name="method">Its name, as it was given.</param>
    /// <exception cref="ArgumentException">It was not compared.</exception>
    public ComparedMethod this[string method] =>
        Methods.FirstOrDefault(m => m.Name == method)
        ?? throw new ArgumentException($"There is no method '{method}'; compared were: {string.Join(", ", Methods.Select(m => m.Name))}.", nameof(method));

    /// <summary>What a method made of the picture.</summary>
    /// <param name="method">Its name, as it was given.</param>
    /// <exception cref="ArgumentException">It was not compared.</exception>
    /// <exception cref="InvalidOperationException">It made nothing; the message says why.</exception>
    public ComparedInversion Inversion(string method) => Made(method, this[method].Inversion);

    /// <summary>What an editor made of a method's inversion.</summary>
    /// <param name="method">Its name, as it was given.</param>
    /// <param name="editor">Id of the editor; null takes the first.</param>
    /// <exception cref="ArgumentException">One of them was not compared.</exception>
    /// <exception cref="InvalidOperationException">The two do not go together; the message says why.</exception>
    public ComparedEdit Edit(string method, string? editor = null)
    {
        int index = editor is null ? 0 : Data.Editors.ToList().IndexOf(editor);
        if (index < 0 || Data.Editors.Count == 0)
            throw new ArgumentException($"There is no edit by '{editor}'; editors were: {string.Join(", ", Data.Editors)}.", nameof(editor));
        Inversion(method);
        return Made($"{method} with {Data.Editors[index]}", this[method].Edits[index]);
    }

    /// <summary>PSNR of a method's reconstruction against the picture, dB; infinite where they are equal to the pixel.</summary>
    /// <param name="method">Its name, as it was given.</param>
    /// <exception cref="ArgumentException">It was not compared.</exception>
    /// <exception cref="InvalidOperationException">It made nothing; the message says why.</exception>
    public double Psnr(string method) => Metrics.Psnr.Of(Inversion(method).Reconstruction, Data.Source);

    /// <summary>The pictures, a row per method.</summary>
    public GridView Grid() => new(Data.Grid());

    /// <summary>The numbers, a row per method and editor.</summary>
    public TableView Table() => new(Data.Table());

    /// <summary>PSNR against the picture as bars: of the reconstruction, and of the edits. What there is none of leaves a gap.</summary>
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
