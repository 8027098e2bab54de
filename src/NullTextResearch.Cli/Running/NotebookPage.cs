using System.Text;
using NullTextResearch.Figures;
using NullTextResearch.Kernel.Documents;
using NullTextResearch.Kernel.Running;

namespace NullTextResearch.Cli.Running;

/// <summary>A notebook as a self-contained web page, with plotly.js for its charts.</summary>
internal static class NotebookPage
{
    /// <summary>Writes the page; an earlier one survives a failure.</summary>
    public static void Write(NotebookDocument document, string path)
    {
        string page = NotebookHtml.Write(document, Path.GetFileNameWithoutExtension(path));
        // Notebooks may leave it out to stay small, since most front ends have their own; a page has nothing else.
        bool isMissing = page.Contains("class=\"nt-plot\"", StringComparison.Ordinal) && !page.Contains("nullTextLoading", StringComparison.Ordinal);
        if (isMissing)
            page = page.Insert(page.LastIndexOf("</body>", StringComparison.Ordinal), PlotlyScript.LoaderHtml + "\n");
        WholeFile.Write(path, Encoding.UTF8.GetBytes(page));
    }
}
