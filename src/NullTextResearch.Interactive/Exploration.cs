using System.Globalization;
using NullTextResearch.Diffusion;
using NullTextResearch.Figures;
using NullTextResearch.Hosting;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Display;
using NullTextResearch.Inversion;

namespace NullTextResearch.Interactive;

/// <summary>A number that stands beneath a picture, with a small chart over the slider that moves.</summary>
/// <param name="Name">What it is, such as <c>distance to the source</c>.</param>
/// <param name="Value">The number; not finite where it does not exist.</param>
/// <param name="Unit">Its unit, or null.</param>
public sealed record Measure(string Name, double Value, string? Unit = null)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Value.ToString("G4", CultureInfo.InvariantCulture)}{(Unit is null ? "" : " " + Unit)}";
}

/// <summary>What one position of the sliders gives.</summary>
/// <param name="Image">The picture.</param>
/// <param name="Measures">Numbers that move with it; the same names at every position.</param>
public sealed record ExplorationPoint(RgbImage Image, params IReadOnlyList<Measure> Measures)
{
    /// <summary>Value of each slider.</summary>
    public IReadOnlyList<double> Values { get; internal init; } = [];
}

/// <summary>What the work at one position of the sliders has at hand.</summary>
public sealed class ExplorationWork
{
    private readonly LiveProgress _progress;
    private readonly StableDiffusion _model;

    internal ExplorationWork(LiveProgress progress, StableDiffusion model, CancellationToken cancellation) =>
        (_progress, _model, Cancellation) = (progress, model, cancellation);

    /// <summary>Cancelled when the sliders have moved on, or the user stops the work. Pass it on: the library looks at every step.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>Takes the progress of the library's methods.</summary>
    public IProgress<InversionProgress> Progress => _progress;

    internal LiveProgress Live => _progress;

    /// <summary>A predictor that now and then shows what the picture looks like.</summary>
    /// <param name="predictor">Such as <c>model.Predictor()</c>.</param>
    public INoisePredictor Watch(INoisePredictor predictor) => _progress.Watch(predictor, _model);
}

/// <summary>
/// Sliders that compute: what they show is made when it is asked for, and kept. In a kernel that has no channel to its front ends, and in a saved
/// notebook, the sliders go over what was computed.
/// </summary>
public sealed class Exploration : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ExplorationPoint> _points = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<SweepAxis> _axes;
    private ILiveService? _service;

    internal Exploration(string title, IReadOnlyList<SweepAxis> axes)
    {
        Title = title;
        _axes = axes;
    }

    /// <summary>What is explored.</summary>
    public string Title { get; }

    /// <summary>What was computed so far, in the order of the sliders' values.</summary>
    public IReadOnlyList<ExplorationPoint> Points
    {
        get
        {
            lock (_gate)
                return [.. _points.Values.OrderBy(p => p.Values, Comparer<IReadOnlyList<double>>.Create(Compare))];
        }
    }

    /// <summary>Whether the sliders compute; false where only what was computed beforehand can be seen.</summary>
    public bool IsLive => Volatile.Read(ref _service) is not null;

    /// <summary>A measure over the first slider, a curve for each position of the others.</summary>
    /// <param name="measure">Its name.</param>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public ChartView Chart(string measure)
    {
        IReadOnlyList<ExplorationPoint> points = Points;
        if (points.SelectMany(p => p.Measures).FirstOrDefault(m => m.Name == measure) is not { } found)
            throw new ArgumentException(
                $"There is no measure '{measure}'; there are: {string.Join(", ", points.SelectMany(p => p.Measures).Select(m => m.Name).Distinct())}.",
                nameof(measure)
            );
        return new ChartView(
            new LineChart
            {
                Title = measure,
                XAxis = new Axis(_axes[0].Name),
                YAxis = new Axis(measure, found.Unit),
                Height = 340,
                Series =
                [
                    .. points
                        .GroupBy(p => string.Join(", ", p.Values.Skip(1).Select((v, i) => $"{_axes[i + 1].Name}: {Rendering.Markup.Number(v)}")))
                        .Select(curve => new LineSeries(
                            curve.Key.Length == 0 ? "pictures" : curve.Key,
                            [.. curve.Select(p => p.Values[0])],
                            [.. curve.Select(p => p.Measures.First(m => m.Name == measure).Value)]
                        )),
                ],
            }
        );
    }

    /// <summary>Computes no more; what was computed stays.</summary>
    public void Dispose() => Interlocked.Exchange(ref _service, null)?.Dispose();

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Title}: {Points.Count} of {_axes.Aggregate(1L, (n, a) => n * a.Values.Count)} positions computed");

    internal void Serve(ILiveService service) => _service = service;

    internal Uri? Address => Volatile.Read(ref _service)?.Address;

    internal ExplorationPoint? At(string place)
    {
        lock (_gate)
            return _points.GetValueOrDefault(place);
    }

    internal void Keep(string place, ExplorationPoint point)
    {
        lock (_gate)
            _points[place] = point;
    }

    internal IReadOnlyList<(string Place, ExplorationPoint Point)> Places()
    {
        lock (_gate)
            return [.. _points.Select(p => (p.Key, p.Value))];
    }

    private static int Compare(IReadOnlyList<double> a, IReadOnlyList<double> b) => a.Zip(b, (x, y) => x.CompareTo(y)).FirstOrDefault(c => c != 0);
}
