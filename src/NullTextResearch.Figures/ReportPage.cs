using System.Globalization;
using System.Text;

namespace NullTextResearch.Figures;

/// <summary>Turns a report into HTML.</summary>
internal static class ReportPage
{
    // Nothing may be downloaded: the page looks the same offline and online.
    private const string Policy = "default-src 'none'; img-src data: blob:; font-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

    internal static string Write(Report report)
    {
        bool hasCharts = report.Sections.Any(section => section.Charts.Count > 0);
        bool single = report.Sections.Count == 1;
        StringBuilder html = new(hasCharts ? PlotlyScript.Text.Length + 1_000_000 : 1_000_000);
        Head(html, report.Title);
        html.Append(single ? "<body class=\"nt-single\">\n" : "<body>\n");
        if (!single && report.Sections.Count > 0)
        {
            html.Append("<nav class=\"nt-nav\" aria-label=\"Figures\"><ul>\n");
            if (report.Sections.Any(section => section.Claims.Count > 0))
            {
                html.Append("<li><a href=\"#claims\">The paper's claims</a></li>\n");
            }

            foreach (FigureSection section in report.Sections)
            {
                html.Append(CultureInfo.InvariantCulture, $"<li><a href=\"#{section.Id}\">{Html.Text(section.Title)}</a></li>\n");
            }

            html.Append("</ul></nav>\n");
        }

        html.Append("<main>\n<header class=\"nt-head\">\n");
        html.Append(CultureInfo.InvariantCulture, $"<h1>{Html.Text(report.Title)}</h1>\n");
        if (report.Introduction is { } introduction)
        {
            html.Append(CultureInfo.InvariantCulture, $"<div class=\"nt-intro\">{Html.Paragraphs(introduction)}</div>\n");
        }

        if (report.Facts.Count > 0)
        {
            html.Append("<dl class=\"nt-facts\">\n");
            foreach (ReportFact fact in report.Facts)
            {
                html.Append(CultureInfo.InvariantCulture, $"<div><dt>{Html.Text(fact.Name)}</dt><dd>{Html.Text(fact.Value)}</dd></div>\n");
            }

            html.Append("</dl>\n");
        }

        html.Append("</header>\n");
        if (!single && report.Sections.Any(section => section.Claims.Count > 0))
        {
            html.Append("<section class=\"nt-section\" id=\"claims\">\n<h2><a href=\"#claims\">The paper's claims</a></h2>\n");
            Claims(html, [.. report.Sections.SelectMany(section => section.Claims.Select(claim => ((FigureSection?)section, claim)))]);
            html.Append("</section>\n");
        }

        foreach (FigureSection section in report.Sections)
        {
            Section(html, section, heading: !single || section.Title != report.Title);
        }

        html.Append("</main>\n");
        if (hasCharts)
        {
            // As text, which the first chart near the window runs: parsed at once, plotly.js would be most of the time until the page is there.
            Plotly(html, "type=\"text/plain\" ");
        }

        html.Append(CultureInfo.InvariantCulture, $"<script>{Assets.Text("report.js")}</script>\n</body>\n</html>\n");
        return html.ToString();
    }

    /// <summary>Charts one below the other in boxes of known height, for a browser screenshot.</summary>
    internal static string Sheet(IReadOnlyList<(ChartBundle Chart, int BoxHeight)> charts, int padding)
    {
        StringBuilder html = new(PlotlyScript.Text.Length + 500_000);
        Head(html, "charts");
        Plotly(html, "");
        html.Append("<body style=\"background:#fff\">\n<script>window.nullTextStatic = true;</script>\n");
        for (int i = 0; i < charts.Count; i++)
        {
            string height = charts[i].BoxHeight.ToString(Csv.Culture);
            html.Append(
                CultureInfo.InvariantCulture,
                $"<div style=\"box-sizing:border-box;height:{height}px;overflow:hidden;padding:{padding.ToString(Csv.Culture)}px\">\n"
            );
            html.Append(charts[i].Chart.HtmlFragment($"chart-{i + 1}")).Append("</div>\n");
        }

        return html.Append("</body>\n</html>\n").ToString();
    }

    private static void Head(StringBuilder html, string title)
    {
        html.Append(
            CultureInfo.InvariantCulture,
            $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="{Policy}">
            <title>{Html.Text(title)}</title>
            <link rel="icon" href="data:,">
            <style>
            @font-face {"{"} font-family: Inter; font-weight: 400; src: url(data:font/otf;base64,{Convert.ToBase64String(
                Assets.Font
            )}) format("opentype"); {"}"}
            {Assets.Text("report.css")}
            </style>

            """
        );
        html.Append("</head>\n");
    }

    private static void Plotly(StringBuilder html, string attribute)
    {
        html.Append(CultureInfo.InvariantCulture, $"<script type=\"text/plain\" id=\"plotly-licence\">{PlotlyScript.License}</script>\n");
        html.Append(CultureInfo.InvariantCulture, $"<script {attribute}id=\"plotly-js\">").Append(PlotlyScript.Text).Append("</script>\n");
    }

    private static void Section(StringBuilder html, FigureSection section, bool heading)
    {
        html.Append(CultureInfo.InvariantCulture, $"<section class=\"nt-section\" id=\"{section.Id}\">\n");
        if (heading)
        {
            html.Append(CultureInfo.InvariantCulture, $"<h2><a href=\"#{section.Id}\">{Html.Text(section.Title)}</a></h2>\n");
        }

        if (section.Caption is { } caption)
        {
            html.Append(CultureInfo.InvariantCulture, $"<div class=\"nt-caption\">{Html.Paragraphs(caption)}</div>\n");
        }

        if (section.PaperFound is not null || section.ThisRunFound is not null)
        {
            html.Append("<div class=\"nt-findings\">\n");
            Finding(html, "nt-paper", "The paper found", section.PaperFound);
            Finding(html, "nt-run", "This run found", section.ThisRunFound);
            html.Append("</div>\n");
        }

        if (section.Claims.Count > 0)
        {
            Claims(html, [.. section.Claims.Select(claim => ((FigureSection?)null, claim))]);
        }

        for (int i = 0; i < section.Charts.Count; i++)
        {
            ChartBundle chart = section.Charts[i];
            string name = $"{section.Id}-chart-{(i + 1).ToString(Csv.Culture)}";
            html.Append("<div class=\"nt-panel\">\n").Append(chart.HtmlFragment(name));
            html.Append(
                CultureInfo.InvariantCulture,
                $"<p class=\"nt-data\"><a download=\"{name}.csv\" "
                    + $"href=\"{DataUri("text/csv;charset=utf-8", Encoding.UTF8.GetBytes(chart.ToCsv()))}\">data as CSV</a></p>\n</div>\n"
            );
        }

        foreach (ReportImage image in section.Images)
        {
            html.Append(CultureInfo.InvariantCulture, $"<figure class=\"nt-image\"><div class=\"nt-scroll\">{Picture(image, " tabindex=\"0\"")}</div>");
            if (image.Caption is { } text)
            {
                html.Append(CultureInfo.InvariantCulture, $"<figcaption>{Html.Text(text)}</figcaption>");
            }

            html.Append("</figure>\n");
        }

        foreach (PictureGallery gallery in section.Galleries)
        {
            html.Append(CultureInfo.InvariantCulture, $"<details class=\"nt-gallery\"{(gallery.IsOpen ? " open" : "")}>");
            html.Append(CultureInfo.InvariantCulture, $"<summary>{Html.Text(gallery.Title)}</summary><div>\n");
            foreach (ReportImage image in gallery.Pictures)
            {
                html.Append(CultureInfo.InvariantCulture, $"<figure>{Picture(image)}");
                html.Append(CultureInfo.InvariantCulture, $"<figcaption>{Html.Text(image.Caption ?? "")}</figcaption></figure>\n");
            }

            html.Append("</div></details>\n");
        }

        foreach (TableData table in section.Tables)
        {
            html.Append("<div class=\"nt-scroll nt-table-box\" tabindex=\"0\">").Append(table.ToHtml()).Append("</div>\n");
        }

        if (section.Command is { } command)
        {
            html.Append(CultureInfo.InvariantCulture, $"<p class=\"nt-label\">Made by</p><pre class=\"nt-command\"><code>{Html.Text(command)}</code></pre>\n");
        }

        if (section.Files.Count > 0)
        {
            string links = string.Join(
                " ",
                section.Files.Select(file =>
                    $"<a href=\"{Html.Text(string.Join('/', file.RelativePath.Split('/').Select(Uri.EscapeDataString)))}\">{Html.Text(file.Name)}</a>"
                )
            );
            html.Append(CultureInfo.InvariantCulture, $"<p class=\"nt-files\">{links}</p>\n");
        }

        if (section.ManifestJson is { } manifest)
        {
            html.Append(
                CultureInfo.InvariantCulture,
                $"<details class=\"nt-manifest\"><summary>Manifest</summary><pre><code>{Html.Text(manifest)}</code></pre></details>\n"
            );
        }

        html.Append("</section>\n");
    }

    /// <summary>Claims, each with its verdict, and with a link to its figure if one is given.</summary>
    private static void Claims(StringBuilder html, IReadOnlyList<(FigureSection? Figure, Claim Claim)> claims)
    {
        if (claims.Where(c => !c.Claim.IsJudged).Select(c => c.Claim.Images).DefaultIfEmpty().Max() is var few and > 0)
        {
            html.Append(
                CultureInfo.InvariantCulture,
                $"<p class=\"nt-evidence\">{(few == 1 ? "One image is" : $"{few} images are")} too few for a verdict: at least "
                    + $"{Claim.FewestImages} are needed.</p>\n"
            );
        }

        html.Append("<div class=\"nt-claims\">\n");
        foreach ((FigureSection? figure, Claim claim) in claims)
        {
            string kind = !claim.IsJudged
                ? "open"
                : claim.Verdict switch
                {
                    Verdict.Reproduced => "yes",
                    Verdict.Partly => "partly",
                    _ => "no",
                };
            string link = figure is null ? "" : $" <a href=\"#{figure.Id}\">{Html.Text(figure.Title.Split(':')[0])}</a>";
            html.Append(
                CultureInfo.InvariantCulture,
                $"<div class=\"nt-claim nt-{kind}\"><p class=\"nt-verdict\">{Html.Text(claim.VerdictText)}</p><div><p>{Html.Prose(claim.Sentence)}{link}</p>"
            );
            html.Append(
                CultureInfo.InvariantCulture,
                $"<p class=\"nt-evidence\"><span>paper: {Html.Prose(claim.Paper)}</span> <span>this run: "
                    + $"{Html.Prose($"{claim.Run}, n = {claim.Images}")}</span></p></div></div>\n"
            );
        }

        html.Append("</div>\n");
    }

    private static void Finding(StringBuilder html, string cssClass, string name, string? text)
    {
        if (text is not null)
        {
            html.Append(CultureInfo.InvariantCulture, $"<div class=\"nt-finding {cssClass}\"><h3>{name}</h3>{Html.Paragraphs(text)}</div>\n");
        }
    }

    private static string Picture(ReportImage image, string attributes = "")
    {
        (int width, int height) = image.Size();
        return $"<img src=\"{DataUri("image/png", image.Png)}\" width=\"{width.ToString(Csv.Culture)}\" height=\"{height.ToString(Csv.Culture)}\" "
            + $"alt=\"{Html.Text(image.AltText)}\" style=\"--w:{width.ToString(Csv.Culture)}px\" decoding=\"async\"{attributes}>";
    }

    private static string DataUri(string type, byte[] bytes) => $"data:{type};base64,{Convert.ToBase64String(bytes)}";
}
