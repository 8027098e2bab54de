using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.FSharp;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Engine;

/// <summary>One session for all engine tests: starting the compiler takes seconds, and the console can have one owner only.</summary>
public sealed class EngineFixture : IDisposable
{
    // The test runner writes to the console as well.
    private readonly CellEngine _engine = new(new EngineOptions
    {
        Grace = TimeSpan.FromMilliseconds(300),
        TakesStrayText = false,
        Languages = [new LanguageFactory(CellPlan.FSharp, session => new FSharpLanguage(session))],
        Connectors = [new EchoConnector()],
    });

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
            lock (_outputs) return [.. _outputs];
        }
    }

    public string? Value => Result.Result?.Data["text/plain"]?.GetValue<string>();

    public string Out => string.Concat(Outputs.OfType<StreamOutput>().Where(s => !s.IsError).Select(s => s.Text));

    public string Err => string.Concat(Outputs.OfType<StreamOutput>().Where(s => s.IsError).Select(s => s.Text));

    public IEnumerable<JsonObject> Displays => Outputs.OfType<DisplayOutput>().Select(d => d.Data);

    public string Traceback => System.Text.RegularExpressions.Regex.Replace(string.Join('\n', Result.Error?.Traceback ?? []), "\u001b\\[\\d+m", "");

    public void Add(CellOutput output)
    {
        lock (_outputs) _outputs.Add(output);
    }
}

[CollectionDefinition(nameof(EngineFixture))]
public sealed class EngineCollection : ICollectionFixture<EngineFixture>;
