using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Markdig;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using NullTextResearch.Kernel.Documents;

namespace NullTextResearch.Kernel.Running;

/// <summary>Writes a notebook as one self-contained web page: prose, code, and the outputs in their richest form.</summary>
public static partial class NotebookHtml
{
    // Prose is text: HTML in it is shown as typed. HTML cells and outputs come from the author's code.
    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder()
        .UsePipeTables()
        .UseMathematics()
        .UseAutoIdentifiers()
        .DisableHtml()
        .Build();

    private const string Style = """
        :root { --ink: #1d2126; --page: #fff; --soft: #f2f4f7; --code: #f6f8fa; --edge: #b8c4d2; --line: #dde2e8; --bad: #a8201a; --key: #0b4fa0; --text: #96420c; --note: #6a737d; --link: #0b57d0; color-scheme: light dark; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --page: #12171d; --soft: #232c35; --code: #1a2129; --edge: #3d4b59; --line: #35414d; --bad: #ff8f88; --key: #82b7ff; --text: #f0a675; --note: #9fb0c0; --link: #8ab8ff; } }
        body { font: 16px/1.55 Georgia, 'Times New Roman', serif; color: var(--ink); background: var(--page); max-width: 1000px; margin: 32px auto; padding: 0 20px; overflow-wrap: break-word; } a { color: var(--link); }
        h1, h2, h3 { font-family: 'Helvetica Neue', Arial, sans-serif; line-height: 1.25; } h1 { font-size: 30px; } h2 { font-size: 22px; margin-top: 1.6em; }
        pre, code { font: 13px/1.5 'DejaVu Sans Mono', Consolas, monospace; } p code, li code, td code { background: var(--soft); padding: 1px 4px; border-radius: 3px; } section > pre { overflow-x: auto; }
        section > table { display: block; overflow-x: auto; max-width: 100%; }
        .cell { margin: 12px 0; } .in { background: var(--code); border-left: 3px solid var(--edge); padding: 9px 14px; overflow-x: auto; margin: 0; }
        .out { padding: 4px 0 4px 16px; overflow-x: auto; font-family: 'Helvetica Neue', Arial, sans-serif; font-size: 14px; } .out pre { margin: 4px 0; white-space: pre-wrap; } .error { color: var(--bad); }
        math { font-family: 'Cambria Math', 'STIX Two Math', 'Latin Modern Math', 'Libertinus Math', 'DejaVu Math TeX Gyre', math; } math[display="block"] { margin: 1em 0; overflow-x: auto; }
        table { border-collapse: collapse; } th, td { padding: 4px 10px; border-bottom: 1px solid var(--line); text-align: left; } .math { font-style: italic; } div.math { text-align: center; margin: 1em 0; font-size: 18px; overflow-x: auto; }
        .kw { color: var(--key); } .st { color: var(--text); } .co { color: var(--note); font-style: italic; } img { max-width: 100%; }
        .nt-plot:not([data-drawn]) { min-height: 0 !important; }
        @media (max-width: 600px) { body { margin: 16px auto; padding: 0 12px; } h1 { font-size: 25px; } .in { padding: 8px 10px; } .out { padding-left: 6px; } ul, ol { padding-left: 24px; } }
        """;

    /// <summary>The page as HTML.</summary>
    /// <param name="document">The notebook with its outputs.</param>
    /// <param name="title">Title of the page.</param>
    public static string Write(NotebookDocument document, string title)
    {
        StringBuilder page = new();
        page.Append(
            CultureInfo.InvariantCulture,
            $"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                + $"content=\"width=device-width, initial-scale=1\"><title>{WebUtility.HtmlEncode(title)}</title><style>{Style}</style></head><body>\n"
        );
        foreach (NotebookCell cell in document.Cells)
        {
            switch (cell.Kind)
            {
                case CellKind.Markdown:
                    page.Append("<section>").Append(Prose(cell.Source)).Append("</section>\n");
                    break;
                case CellKind.Code:
                    page.Append("<div class=\"cell\"><pre class=\"in\"><code>").Append(CodeHtml.Colour(cell)).Append("</code></pre>\n");
                    foreach (JsonObject output in cell.Outputs.OfType<JsonObject>())
                        page.Append("<div class=\"out\">").Append(Output(output)).Append("</div>\n");
                    page.Append("</div>\n");
                    break;
            }
        }

        return page.Append("</body></html>\n").ToString();
    }

    /// <summary>Markdown as HTML, formulas as MathML.</summary>
    internal static string Prose(string markdown)
    {
        MarkdownDocument document = Markdown.Parse(markdown, Pipeline);
        foreach (LinkInline link in document.Descendants<LinkInline>())
        {
            if (!IsHarmless(link.Url))
                link.Url = "";
        }

        foreach (AutolinkInline link in document.Descendants<AutolinkInline>())
        {
            if (!link.IsEmail && !IsHarmless(link.Url))
                link.Url = "";
        }

        string html = document.ToHtml(Pipeline);
        // A formula alone in its paragraph is displayed as a block, however its dollars were placed.
        html = AloneInParagraph().Replace(html, "<div class=\"math\">${math}</div>");
        return MathElement().Replace(html, m => TexToMathMl.Convert(WebUtility.HtmlDecode(m.Groups["tex"].Value.Trim()), m.Groups["tag"].Value == "div"));
    }

    // A link may lead somewhere but must not run code.
    private static bool IsHarmless(string? url)
    {
        string address = string.Concat((url ?? "").Where(c => c > ' '));
        int colon = address.IndexOfAny([':', '/', '?', '#']);
        return colon < 0
            || address[colon] != ':'
            || address[..colon].ToLowerInvariant() is "http" or "https" or "mailto"
            || address.StartsWith("data:image/", StringComparison.OrdinalIgnoreCase);
    }

    private static string Output(JsonObject output)
    {
        switch (output["output_type"]?.ToString())
        {
            case "stream":
                return $"<pre{(output["name"]?.ToString() == "stderr" ? " class=\"error\"" : "")}>{WebUtility.HtmlEncode(Text(output["text"]))}</pre>";
            case "error":
                string trace = Ansi().Replace(string.Join('\n', (output["traceback"] as JsonArray ?? []).Select(l => l?.ToString())), "");
                return $"<pre class=\"error\">{WebUtility.HtmlEncode($"{output["ename"]}: {output["evalue"]}\n{trace}")}</pre>";
            default:
                JsonObject data = output["data"] as JsonObject ?? [];
                if (data["text/html"] is { } html)
                    return Text(html);
                if (data["image/svg+xml"] is { } svg)
                    return Text(svg);
                foreach (string mime in new[] { "image/png", "image/jpeg" })
                {
                    if (data[mime] is not { } picture)
                        continue;
                    string bytes = Text(picture).Replace("\n", "", StringComparison.Ordinal);
                    return $"<img alt=\"output\" src=\"data:{mime};base64,{WebUtility.HtmlEncode(bytes)}\">";
                }

                if (data["text/markdown"] is { } markdown)
                    return Prose(Text(markdown));
                if (data["application/javascript"] is { } script)
                    return $"<script>{Text(script)}</script>";
                return $"<pre>{WebUtility.HtmlEncode(Text(data["text/plain"]))}</pre>";
        }
    }

    private static string Text(JsonNode? lines) =>
        lines switch
        {
            null => "",
            JsonArray array => string.Concat(array.Select(l => l?.ToString())),
            _ => lines.ToString(),
        };

    [GeneratedRegex(@"<(?<tag>span|div) class=""math"">\s*\\[\(\[](?<tex>.*?)\\[\)\]]\s*</\k<tag>>", RegexOptions.Singleline)]
    private static partial Regex MathElement();

    [GeneratedRegex(@"<p><span class=""math"">(?<math>\\\((?:(?!</span>).)*\\\))</span></p>", RegexOptions.Singleline)]
    private static partial Regex AloneInParagraph();

    [GeneratedRegex(@"\x1b\[[0-9;]*m")]
    private static partial Regex Ansi();
}
