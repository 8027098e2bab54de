using NullTextResearch.Hosting;

namespace NullTextResearch.Kernel.Engine;

/// <summary>A language that the front end shows, or runs: HTML, Markdown, JavaScript, Mermaid.</summary>
internal sealed class DisplayLanguage(string name, Action<string> show) : ICellLanguage
{
    public string Name { get; } = name;

    public void Run(CodeRun run) => run.Cell.RunStoppable(() => show(run.Code));

    public void Dispose()
    {
    }

    /// <summary>All of them; their names are <see cref="CellPlan.Shown"/>.</summary>
    public static IEnumerable<DisplayLanguage> All() =>
    [
        new("html", text => Show(new MimeBundle(text).With("text/html", text))),
        new("markdown", text => Show(new MimeBundle(text).With("text/markdown", text))),
        // In a function of its own: a second run of the cell may declare its constants again.
        new("javascript", text => CellFunctions.Javascript($"(async () => {{\n{text}\n}})();")),
        new("mermaid", text => Show(Diagram(text))),
    ];

    private static void Show(MimeBundle bundle) => KernelHost.Instance.Display(bundle);

    // mermaid.js is 3.6 MB, a hundred times a usual notebook, and cells do not load scripts from the net. JupyterLab 4.1 and
    // later, GitHub and VS Code bring their own: they draw Markdown's fenced block; others show the text.
    private static MimeBundle Diagram(string text)
    {
        int ticks = 3;
        while (text.Contains(new string('`', ticks), StringComparison.Ordinal)) ticks++;
        string fence = new('`', ticks);
        return new MimeBundle(text).With("text/vnd.mermaid", text).With("text/markdown", $"{fence}mermaid\n{text}\n{fence}\n");
    }
}
