using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.FSharp;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Engine;

/// <summary>One session for all engine tests: starting the compiler takes seconds, and the console can have one owner only.</summary>
public sealed class EngineFixture : IDisposable
{
    // The test runner writes to the console as well.
    private readonly CellEngine _engine = new(
        new EngineOptions
        {
            Grace = TimeSpan.FromMilliseconds(300),
            TakesStrayText = false,
            Languages = [new LanguageFactory(CellPlan.FSharp, session => new FSharpLanguage(session))],
            Connectors = [new EchoConnector()],
            DrawDiagram = (text, _) => text.StartsWith("pie", StringComparison.Ordinal) ? [1, 2, 3] : null,
        }
    );

    public CellEngine Engine => _engine;

    public string Folder { get; } = Directory.CreateTempSubdirectory("nulltext-engine-").FullName;

    public void Dispose()
    {
        _engine.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Runs a cell to its end.</summary>
    public Ran Run(string code, Func<string, bool, CancellationToken, string>? input = null)
    {
        Ran ran = new();
        Task<CellResult> task = _engine.RunAsync(new CellRequest(code) { Input = input }, ran.Add);
        Assert.True(task.Wait(TimeSpan.FromSeconds(60)), $"The cell did not end: {code}");
        ran.Result = task.Result;
        return ran;
    }

    /// <summary>Runs a cell until it has written "go" and interrupts it, again after a second and a half as often as asked.</summary>
    public Ran Interrupted(string code, InterruptEffect effect = InterruptEffect.Stopping, int times = 1)
    {
        Ran ran = new();
        Task<CellResult> task = _engine.RunAsync(new CellRequest(code), ran.Add);
        Assert.True(
            SpinWait.SpinUntil(() => ran.Out.Contains("go", StringComparison.Ordinal) || task.IsCompleted, 60_000) && !task.IsCompleted,
            $"Did not begin, or ended: {code}"
        );
        Assert.Equal(effect, _engine.Interrupt());
        for (int i = 1; i < times; i++)
        {
            Assert.False(task.Wait(1_500));
            Assert.Equal(effect, _engine.Interrupt());
        }

        Assert.True(task.Wait(20_000), $"Not stopped: {code}");
        ran.Result = task.Result;
        return ran;
    }

    /// <summary>Interrupts a cell before its code runs.</summary>
    public Ran InterruptedEarly(string code, int milliseconds)
    {
        Ran ran = new();
        Task<CellResult> task = _engine.RunAsync(new CellRequest(code), ran.Add);
        Assert.True(SpinWait.SpinUntil(() => _engine.Running is not null, 20_000));
        Thread.Sleep(milliseconds);
        _engine.Interrupt();
        Assert.True(task.Wait(60_000), "Not stopped");
        ran.Result = task.Result;
        return ran;
    }

    /// <summary>Whether a console would run a cell.</summary>
    public Completeness IsComplete(string code) => _engine.IsCompleteAsync(code).Result;

    /// <summary>Completions at the | of a cell.</summary>
    public Completions Complete(string code)
    {
        int position = code.IndexOf('|', StringComparison.Ordinal);
        return _engine.CompleteAsync(code.Remove(position, 1), position).Result;
    }

    /// <summary>What is said about the | of a cell.</summary>
    public string? Inspect(string code)
    {
        int position = code.IndexOf('|', StringComparison.Ordinal);
        return _engine.InspectAsync(code.Remove(position, 1), position).Result;
    }

    /// <summary>Runs a cell that must succeed.</summary>
    public Ran Ok(string code)
    {
        Ran ran = Run(code);
        Assert.True(ran.Result.Status == CellStatus.Ok, $"{code}: {ran.Traceback}");
        return ran;
    }
}

/// <summary>What a cell put out.</summary>
public sealed class Ran
{
    private readonly List<CellOutput> _outputs = [];

    public CellResult Result { get; set; } = null!;

    public IReadOnlyList<CellOutput> Outputs
    {
        get
        {
            lock (_outputs)
                return [.. _outputs];
        }
    }

    public string? Value => Result.Result?.Data["text/plain"]?.GetValue<string>();

    public string Out => string.Concat(Outputs.OfType<StreamOutput>().Where(s => !s.IsError).Select(s => s.Text));

    public string Err => string.Concat(Outputs.OfType<StreamOutput>().Where(s => s.IsError).Select(s => s.Text));

    public IEnumerable<JsonObject> Displays => Outputs.OfType<DisplayOutput>().Select(d => d.Data);

    public string Traceback => System.Text.RegularExpressions.Regex.Replace(string.Join('\n', Result.Error?.Traceback ?? []), "\u001b\\[\\d+m", "");

    public void Add(CellOutput output)
    {
        lock (_outputs)
            _outputs.Add(output);
    }
}

[CollectionDefinition(nameof(EngineFixture))]
public sealed class EngineCollection : ICollectionFixture<EngineFixture>;
