using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Commands;
using Microsoft.DotNet.Interactive.CSharp;
using Microsoft.DotNet.Interactive.Events;
using Microsoft.DotNet.Interactive.Formatting;
using NullTextResearch.Figures;
using NullTextResearch.Hosting;
using NullTextResearch.Images;
using NullTextResearch.Inversion;

namespace NullTextResearch.DotNetInteractive.Tests;

/// <summary>The extension in the published packages, in this process.</summary>
public sealed class ExtensionTests : IAsyncLifetime
{
    private static readonly TimeSpan Watchdog = TimeSpan.FromMinutes(2);
    private readonly CompositeKernel _kernel = new() { new CSharpKernel() };

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() => await new NullTextExtension().OnLoadAsync(_kernel);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _kernel.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public void Shown_EveryType_HasOurFormatters()
    {
        // What the library's own kernel shows, by the same list.
        Assert.All(
            (Type[])[typeof(RgbImage), typeof(Chart), typeof(TableData), typeof(InversionResult), typeof(NullTextOptions), typeof(TorchSharp.torch.Tensor)],
            t => Assert.Contains(t, NullTextExtension.Shown)
        );
        Assert.All(NullTextExtension.Shown, t => Assert.Equal(["text/html", "text/plain"], Formatter.GetPreferredMimeTypesFor(t)));
    }

    [Fact]
    public async Task Cell_NamesTheLibrary_NeedsNoReference()
    {
        IReadOnlyList<KernelEvent> events = await Run("using NullTextResearch.Images; new RgbImage(1, 1, [1, 2, 3])");

        ReturnValueProduced result = Assert.Single(events.OfType<ReturnValueProduced>());
        Assert.Contains("data:image/", Assert.Single(result.FormattedValues, v => v.MimeType == "text/html").Value);
    }

    [Fact]
    public async Task Display_Bundle_SendsEveryRepresentationAndUpdatesIt()
    {
        IReadOnlyList<KernelEvent> events = await Run(
            """
            using NullTextResearch.Hosting;
            var shown = Notebook.Host.Display(new MimeBundle("one").With("image/png", new byte[] { 1, 2, 3 }));
            shown.Update("two");
            """
        );

        DisplayedValueProduced first = Assert.Single(events.OfType<DisplayedValueProduced>());
        DisplayedValueUpdated second = Assert.Single(events.OfType<DisplayedValueUpdated>());
        Assert.Equal(["text/plain one", "image/png AQID"], first.FormattedValues.Select(v => $"{v.MimeType} {v.Value}"));
        Assert.Equal(first.ValueId, second.ValueId);
        Assert.Contains(second.FormattedValues, v => v.Value.Contains("two", StringComparison.Ordinal));
    }

    [Fact]
    public void Host_OutsideACell_PrintsAndIsNeverCancelled()
    {
        TextWriter before = Console.Out;
        StringWriter text = new();
        Console.SetOut(text);
        try
        {
            Notebook.Host!.Display("alone").Update("still");
        }
        finally
        {
            Console.SetOut(before);
        }

        Assert.Equal(["alone", "still"], text.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
        Assert.False(Notebook.Cancellation.CanBeCanceled);
        Assert.False(Notebook.Host.DeliversJson);
    }

    [Fact]
    public async Task Cancel_WhileACellAsksForItsToken_ReachesIt()
    {
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using IDisposable listening = _kernel.KernelEvents.Subscribe(
            new Watcher(e =>
            {
                if (e is StandardOutputValueProduced)
                    begun.TrySetResult();
            })
        );
        await Run("bool seen = false;");
        Task<KernelCommandResult> running = _kernel.SendAsync(
            new SubmitCode(
                """
                Console.WriteLine("go");
                try { while (true) { NullTextResearch.Hosting.Notebook.Cancellation.ThrowIfCancellationRequested(); await Task.Delay(5); } }
                catch (OperationCanceledException) { seen = true; throw; }
                """
            )
        );
        await begun.Task.WaitAsync(Watchdog);
        await _kernel.SendAsync(new Cancel()).WaitAsync(Watchdog);
        Assert.Contains((await running.WaitAsync(Watchdog)).Events, e => e is CommandFailed);

        ReturnValueProduced seen = Assert.Single((await Run("seen")).OfType<ReturnValueProduced>());
        Assert.Equal(true, seen.Value);
    }

    [Fact]
    public async Task LoadAsync_NoCell_IsRefused() =>
        Assert.Contains("No .NET Interactive cell", (await Assert.ThrowsAsync<InvalidOperationException>(NullTextExtension.LoadAsync)).Message);

    [Fact]
    public async Task Plotly_WithItsAssemblies_TakesItsFormatterOnlyThen()
    {
        const string Chart =
            "Plotly.NET.GenericChart.fromFigure(Plotly.NET.Figure.create(Microsoft.FSharp.Collections.ListModule.OfSeq(new Plotly.NET.Trace[0]), new "
            + "Plotly.NET.Layout()))";
        string references =
            $"#r \"{typeof(Plotly.NET.GenericChart).Assembly.Location}\"\n#r \"{typeof(Microsoft.FSharp.Collections.ListModule).Assembly.Location}\"\n#r "
            + $"\"{System.Reflection.Assembly.Load("DynamicObj").Location}\"\n";

        Assert.DoesNotContain("Plotly.newPlot", await Html(references + Chart), StringComparison.Ordinal);
        IReadOnlyList<KernelEvent> said = await Run("#!nulltext plotly");
        Assert.Contains("two CDNs", Assert.Single(said.OfType<DisplayedValueProduced>()).FormattedValues.Single().Value);
        string html = await Html(Chart);
        Assert.Contains("Plotly.newPlot", html, StringComparison.Ordinal);
        Assert.Contains("https://", html, StringComparison.Ordinal);
    }

    private async Task<string> Html(string code) =>
        (await Run(code)).OfType<ReturnValueProduced>().Single().FormattedValues.FirstOrDefault(v => v.MimeType == "text/html")?.Value ?? "";

    private async Task<IReadOnlyList<KernelEvent>> Run(string code)
    {
        KernelCommandResult result = await _kernel.SendAsync(new SubmitCode(code));
        Assert.True(!result.Events.OfType<CommandFailed>().Any(), string.Join('\n', result.Events.OfType<CommandFailed>().Select(f => f.Message)));
        return [.. result.Events];
    }

    private sealed class Watcher(Action<KernelEvent> see) : IObserver<KernelEvent>
    {
        public void OnCompleted() { }

        public void OnError(Exception error) { }

        public void OnNext(KernelEvent value) => see(value);
    }
}
