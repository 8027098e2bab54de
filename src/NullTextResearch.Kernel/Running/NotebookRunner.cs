using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Documents;
using NullTextResearch.Kernel.Engine;

namespace NullTextResearch.Kernel.Running;

/// <summary>Runs notebook files without Jupyter.</summary>
public static class NotebookRunner
{
    /// <summary>Runs every code cell in a new session, as a front end's "run all" does; a cell tagged <c>raises-exception</c> may fail.</summary>
    /// <param name="document">The notebook; not modified.</param>
    /// <param name="options">Options of the session.</param>
    /// <param name="progress">Called with the position of each code cell, from 1, before it runs; null: no progress is reported.</param>
    /// <param name="cancellation">Interrupts the running cell, which then counts as failed.</param>
    public static async Task<NotebookRun> RunAsync(
        NotebookDocument document,
        EngineOptions options,
        Action<int>? progress = null,
        CancellationToken cancellation = default
    )
    {
        long start = Environment.TickCount64;
        using CellEngine engine = new(options with { TakesStrayText = false });
        OutputCollector collector = new();
        NotebookCell[] cells = [.. document.Cells.Select(c => c.Kind == CellKind.Code ? c with { Outputs = [], ExecutionCount = null } : c)];
        NotebookFailure? failure = null;
        for (int i = 0; i < cells.Length && failure is null; i++)
        {
            NotebookCell cell = cells[i];
            if (cell.Kind != CellKind.Code)
                continue;
            progress?.Invoke(i + 1);
            collector.Begin();
            CellResult result;
            if (engine.Runs(cell.Language))
            {
                using CancellationTokenRegistration stop = cancellation.Register(() => engine.Interrupt());
                result = await engine.RunAsync(new CellRequest(cell.ToSubmission()), collector.Add).ConfigureAwait(false);
            }
            else
            {
                ErrorOutput foreign = new("LanguageError", $"The cell is written in '{cell.Language}', which this kernel does not run.", []);
                collector.Add(foreign);
                result = new CellResult(CellStatus.Error, engine.ExecutionCount + 1, foreign, null, TimeSpan.Zero);
            }

            cells[i] = cell with { ExecutionCount = result.ExecutionCount };
            if (result.Error is { } error && !cell.Tags.Contains("raises-exception"))
                failure = new NotebookFailure(i + 1, cell.Source, error);
        }

        int ran = 0;
        for (int i = 0; i < cells.Length; i++)
        {
            if (cells[i].ExecutionCount is not null && ran < collector.Cells.Count)
                cells[i] = cells[i] with { Outputs = collector.Cells[ran++] };
        }

        return new NotebookRun(document with { Cells = cells }, failure, TimeSpan.FromMilliseconds(Environment.TickCount64 - start));
    }

    /// <summary>Collects outputs in nbformat's format. Updates of a display reach every place that shows it, whichever cell they come from.</summary>
    private sealed class OutputCollector
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<string, List<JsonObject>> _displays = [];
        private JsonArray _current = [];
        private bool _clear;

        public List<JsonArray> Cells { get; } = [];

        public void Begin()
        {
            lock (_gate)
            {
                _current = [];
                _clear = false;
                Cells.Add(_current);
            }
        }

        public void Add(CellOutput output)
        {
            // Tasks of a cell may write from their own threads.
            lock (_gate)
            {
                if (output is DisplayOutput { IsUpdate: true } update)
                {
                    foreach (JsonObject shown in _displays.GetValueOrDefault(update.DisplayId, []))
                    {
                        shown["data"] = Data(update.Data);
                        shown["metadata"] = update.Metadata.DeepClone();
                    }

                    return;
                }

                if (output is ClearOutput { Wait: true })
                {
                    _clear = true;
                    return;
                }

                if (_clear || output is ClearOutput)
                    _current.Clear();
                _clear = false;
                switch (output)
                {
                    case StreamOutput stream:
                        Write(stream);
                        break;
                    case DisplayOutput display:
                        JsonObject item = new()
                        {
                            ["data"] = Data(display.Data),
                            ["metadata"] = display.Metadata.DeepClone(),
                            ["output_type"] = "display_data",
                        };
                        if (!_displays.TryGetValue(display.DisplayId, out List<JsonObject>? places))
                            _displays[display.DisplayId] = places = [];
                        places.Add(item);
                        _current.Add(item);
                        break;
                    case ResultOutput result:
                        _current.Add(
                            new JsonObject
                            {
                                ["data"] = Data(result.Data),
                                ["execution_count"] = result.ExecutionCount,
                                ["metadata"] = result.Metadata.DeepClone(),
                                ["output_type"] = "execute_result",
                            }
                        );
                        break;
                    case ErrorOutput error:
                        _current.Add(
                            new JsonObject
                            {
                                ["ename"] = error.Name,
                                ["evalue"] = error.Message,
                                ["output_type"] = "error",
                                ["traceback"] = new JsonArray([.. error.Traceback.Select(l => JsonValue.Create(l))]),
                            }
                        );
                        break;
                }
            }
        }

        private void Write(StreamOutput stream)
        {
            string name = stream.IsError ? "stderr" : "stdout";
            if (_current.LastOrDefault() is JsonObject last && last["output_type"]?.ToString() == "stream" && last["name"]?.ToString() == name)
            {
                last["text"] = Ipynb.Lines(string.Concat(last["text"]!.AsArray().Select(l => l!.ToString())) + stream.Text);
                return;
            }

            _current.Add(
                new JsonObject
                {
                    ["name"] = name,
                    ["output_type"] = "stream",
                    ["text"] = Ipynb.Lines(stream.Text),
                }
            );
        }

        // Text is split into lines, as in nbformat; pictures are base64 in one piece; JSON is kept unchanged.
        private static JsonObject Data(JsonObject data)
        {
            JsonObject kept = [];
            foreach ((string mime, JsonNode? value) in data)
            {
                bool text = mime.StartsWith("text/", StringComparison.Ordinal) || mime is "image/svg+xml" or "application/javascript";
                kept[mime] = text && value is JsonValue line && line.TryGetValue(out string? lines) ? Ipynb.Lines(lines) : value?.DeepClone();
            }

            return kept;
        }
    }
}
