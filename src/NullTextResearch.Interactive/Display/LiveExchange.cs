using System.Diagnostics;
using System.Text.Json.Nodes;
using NullTextResearch.Hosting;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive.Display;

/// <summary>Exchanges messages between an exploration's sliders and the kernel: a position, and its picture and measures.</summary>
internal sealed class LiveExchange(
    Workbench bench,
    Exploration exploration,
    IReadOnlyList<SweepAxis> axes,
    Func<IReadOnlyList<double>, ExplorationWork, ExplorationPoint> compute
)
{
    private IDisplayHandle? _store;

    /// <summary>The id that the sliders send when they open their channel.</summary>
    public string Id { get; } = $"nt-live-{Guid.NewGuid():N}"[..16];

    /// <summary>The results so far.</summary>
    public Exploration Exploration => exploration;

    /// <summary>Computes a position unless it was computed already.</summary>
    public void Compute(IReadOnlyList<int> at, LiveProgress progress, CancellationToken stop)
    {
        string place = FramesView.Place(at);
        if (exploration.At(place) is not null)
            return;
        double[] values = [.. at.Select((p, i) => axes[i].Values[p])];
        ExplorationPoint point = compute(values, new ExplorationWork(progress, bench.Model, stop));
        exploration.Keep(place, point with { Values = values });
    }

    /// <summary>Shows the computed pictures below the sliders; updated as more are computed.</summary>
    public void Show(Output output)
    {
        FramesView frames = new(Id, exploration);
        // Once the cell has ended, its output can be replaced only through its handle.
        if (Notebook.Host is { } host && output is HostOutput)
            _store = host.Display(frames);
        else
            output.Display(frames);
    }

    /// <summary>Answers a position of the sliders.</summary>
    public void Answer(JsonObject message, Action<JsonObject> send, CancellationToken superseded)
    {
        if (Position(message) is not { } at)
        {
            send(new JsonObject { ["ended"] = "The sliders sent no valid position; run the cell again." });
            return;
        }

        string place = FramesView.Place(at);
        double? seconds = null;
        if (exploration.At(place) is null)
        {
            Stopwatch clock = Stopwatch.StartNew();
            if (!Compute(at, send, superseded))
                return;
            seconds = Math.Round(clock.Elapsed.TotalSeconds, 1);
            _store?.Update(new FramesView(Id, exploration));
        }

        ExplorationPoint point = exploration.At(place)!;
        send(
            new JsonObject
            {
                ["at"] = place,
                ["picture"] = Markup.DataUri(point.Image),
                ["measures"] = FramesView.Measures(point),
                ["seconds"] = seconds,
            }
        );
    }

    private bool Compute(int[] at, Action<JsonObject> send, CancellationToken superseded)
    {
        Output.Choose(new LiveOutput(send, superseded));
        try
        {
            bench
                .Run(
                    exploration.Title,
                    (progress, stop) =>
                    {
                        Compute(at, progress, stop);
                        return 0;
                    },
                    superseded
                )
                .GetAwaiter()
                .GetResult();
            return true;
        }
        catch (OperationCanceledException)
        {
            send(new JsonObject { ["ended"] = "stopped" });
            throw;
        }
        catch (Exception e)
        {
            // No cell is running that could show the error, so it is shown at the sliders.
            send(new JsonObject { ["ended"] = $"{e.GetType().Name}: {e.Message}" });
            return false;
        }
        finally
        {
            Output.Choose(null);
        }
    }

    private int[]? Position(JsonObject message)
    {
        if (message["at"] is not JsonArray at || at.Count != axes.Count)
            return null;
        int[] position = [.. at.Select(n => n is JsonValue value && value.TryGetValue(out int i) ? i : -1)];
        return position.Zip(axes).All(p => p.First >= 0 && p.First < p.Second.Values.Count) ? position : null;
    }
}
