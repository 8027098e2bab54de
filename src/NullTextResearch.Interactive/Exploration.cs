using System.Globalization;
using NullTextResearch.Figures;
using NullTextResearch.Hosting;

namespace NullTextResearch.Interactive;

/// <summary>
/// Sliders that compute on demand and keep the results. In a kernel that has no channel to its front ends, and in a saved notebook, the sliders
/// cover only the positions that were computed.
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

    /// <summary>Title of the exploration.</summary>
    public string Title { get; }

    /// <summary>The points computed so far, in the order of the sliders' values.</summary>
    public IReadOnlyList<ExplorationPoint> Points
    {
        get
        {
            lock (_gate)
                return [.. _points.Values.OrderBy(p => p.Values, Comparer<IReadOnlyList<double>>.Create(Compare))];
        }
    }

    /// <summary>Whether the sliders compute; if false, they only show points that were computed beforehand.</summary>
    public bool IsLive => Volatile.Read(ref _service) is not null;

    /// <summary>Chart of a measure over the first slider, with one curve per position of the others.</summary>
    /// <param name="measure">Name of the measure.</param>
    /// <exception cref="ArgumentException">There is no measure with this name.</exception>
    public ChartView Chart(string measure)
    {
        IReadOnlyList<ExplorationPoint> points = Points;
        if (points.SelectMany(p => p.Measures).FirstOrDefault(m => m.Name == measure) is not { } found)
            throw new ArgumentException(
                $"There is no measure '{measure}'; available: {string.Join(", ", points.SelectMany(p => p.Measures).Select(m => m.Name).Distinct())}.",
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

    /// <summary>Stops computing; results stay.</summary>
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
