using NullTextResearch.Hosting;

namespace NullTextResearch.Kernel.Engine;

/// <summary>A language that the front end shows, or runs: HTML, Markdown, JavaScript, Mermaid.</summary>
internal sealed class DisplayLanguage(string name, Action<string> show) : ICellLanguage
{
    public string Name { get; } = name;

    public void Run(CodeRun run) => run.Cell.RunStoppable(() => show(run.Code));

    public void Dispose() { }

    /// <summary>All of them; their names are <see cref="CellPlan.Shown"/>.</summary>
    /// <param name="draw">Draws Mermaid's diagrams as PNG: <see cref="EngineOptions.DrawDiagram"/>.</param>
    public static IEnumerable<DisplayLanguage> All(Func<string, CancellationToken, byte[]?>? draw) =>
        [
            new("html", text => Show(new MimeBundle(text).With("text/html", text))),
            new("markdown", text => Show(new MimeBundle(text).With("text/markdown", text))),
            // Wrapped in a function, so that a second run of the cell may declare its constants again.
            new("javascript", text => CellFunctions.Javascript($"(async () => {{\n{text}\n}})();")),
            new("mermaid", text => Show(Diagram(text, draw?.Invoke(text, KernelHost.Instance.Cancellation)))),
        ];

    private static void Show(MimeBundle bundle) => KernelHost.Instance.Display(bundle);

    // JupyterLab 4.1 and later draw Mermaid's own MIME type. Others show the picture; if there is none, GitHub and VS Code draw the fenced Markdown block.
    private static MimeBundle Diagram(string text, byte[]? png)
    {
        MimeBundle bundle = new MimeBundle(text).With("text/vnd.mermaid", text);
        if (png is not null)
            return bundle.With("image/png", png);
        int ticks = 3;
        while (text.Contains(new string('`', ticks), StringComparison.Ordinal))
            ticks++;
        string fence = new('`', ticks);
        return bundle.With("text/markdown", $"{fence}mermaid\n{text}\n{fence}\n");
    }
}
