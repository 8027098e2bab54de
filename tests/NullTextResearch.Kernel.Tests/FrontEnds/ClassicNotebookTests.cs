using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using NullTextResearch.Kernel.Documents;
using NullTextResearch.Kernel.Running;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Kernel.Tests.FrontEnds;

/// <summary>A committed notebook in Debian's classic Jupyter Notebook, in a real browser, with the built kernel.</summary>
public sealed class ClassicNotebookTests(ClassicServer server) : IClassFixture<ClassicServer>
{
    // Charts, tables, a workbench job and an explorer: of everything a little.
    private const string Chapter = "02-why-guidance-breaks-it.ipynb";
    private const string Shown = ".nt-shown";

    [Fact]
    public async Task Notebook_RunInterruptedAndDragged_WorksAsAPersonExpects()
    {
        NotebookDocument committed = NotebookDocument.Load(SourceTree.At("notebooks", Chapter));
        NotebookDocument small = NotebookParameters.Inject(committed, [("steps", "4"), ("images", "1"), ("scales", "[1, 7.5]")]);
        // Without the committed outputs: what is seen then, this kernel has computed and this page has drawn. The committed notebook leaves plotly.js out,
        // to stay small, and would show its charts as pictures here.
        (
            small with
            {
                Cells =
                [
                    .. small.Cells.Select(c =>
                        c with
                        {
                            Source = c.Source.Replace("LoadPlotly = false", "LoadPlotly = true"),
                            Outputs = [],
                            ExecutionCount = null,
                        }
                    ),
                ],
            }
        ).Save(Path.Combine(server.Notebooks, "run.ipynb"));
        int charts = committed.Cells.Sum(c => c.Outputs.Count(o => o!["data"]?["application/vnd.plotly.v1+json"] is not null));
        await using ClassicPage notebook = await server.Open("run.ipynb");

        // Runs to its end, and shows what it was committed with.
        await notebook.RunAll(180_000);
        Assert.Equal([], await notebook.Errors.AllInnerTextsAsync());
        foreach (ILocator chart in await notebook.Page.Locator(".nt-plot").AllAsync())
        {
            // Drawn when it is looked at.
            await chart.ScrollIntoViewIfNeededAsync();
            await chart.Locator(".main-svg").First.WaitForAsync();
        }

        await notebook.Page.WaitForFunctionAsync(
            "document.querySelectorAll('.nt-plot[data-drawn] .main-svg .xy path').length > 0 && document.querySelectorAll('.nt-plot[data-drawn]').length "
                + $"=== {charts}"
        );
        Assert.True(await notebook.Page.EvaluateAsync<bool>("[...document.querySelectorAll('.output img')].every(i => i.complete && i.naturalWidth > 0)"));
        await notebook.Screenshot("classic-run.png");

        // The stop button, while the workbench works.
        ILocator work = await notebook.Run(
            "await bench.Invert(pictures[0], new InvertOptions { Steps = 50, Method = Methods.NullText(50, stopEarly: false) })"
        );
        await work.GetByText(new Regex("step [0-9]+ of 50.*loss")).First.WaitForAsync();
        await notebook.Stop();
        await work.GetByText("Interrupted").First.WaitForAsync();
        await notebook.Idle();
        await work.GetByText("stopped ·").WaitForAsync();

        // The menu's Interrupt, while a cell listens to nobody.
        ILocator loop = await notebook.Run("long count = 0; Console.WriteLine(\"counting\"); while (true) count++;");
        await loop.Locator(".output_stdout").GetByText("counting").WaitForAsync();
        await notebook.Choose("#kernellink", "#int_kernel");
        await loop.GetByText("Interrupted").First.WaitForAsync();
        await notebook.Idle();

        // What earlier cells made is there: numbers, tensors, the model, results.
        ILocator numbers = await notebook.RunToEnd(
            "Console.WriteLine($\"{steps} {scales.Length} {explorer.Points.Count} {image.Inversion.StartLatents.isfinite().all().item<bool>()}\")"
        );
        Assert.Equal("4 2 6 True", (await numbers.Locator(".output_stdout").InnerTextAsync()).Trim());
        ILocator edit = await notebook.RunToEnd("await bench.Edit(image, pictures[^1].Edits[0].Prompt)");
        Assert.Equal(1, await edit.Locator(".nt-compare[data-live] .nt-split").CountAsync());
        Assert.Equal(0, await edit.Locator(".output_error").CountAsync());

        // The explorer's slider, by the mouse.
        ILocator explorer = notebook.Page.Locator("#notebook-container > .cell").Filter(new LocatorFilterOptions { HasText = "var explorer" });
        ILocator picture = explorer.Locator(Shown),
            range = explorer.Locator("input[type=range]");
        await range.ScrollIntoViewIfNeededAsync();
        string source = (await picture.GetAttributeAsync("src"))!,
            value = await explorer.Locator(".nt-bar output").InnerTextAsync();
        byte[] pixels = await picture.ScreenshotAsync();
        LocatorBoundingBoxResult box = (await range.BoundingBoxAsync())!;
        await notebook.Page.Mouse.MoveAsync(box.X + 8, box.Y + box.Height / 2);
        await notebook.Page.Mouse.DownAsync();
        await notebook.Page.Mouse.MoveAsync(box.X + box.Width - 4, box.Y + box.Height / 2, new MouseMoveOptions { Steps = 8 });
        await notebook.Page.Mouse.UpAsync();
        Assert.Equal(("1", "7.5"), (value, await explorer.Locator(".nt-bar output").InnerTextAsync()));
        Assert.NotEqual(source, await picture.GetAttributeAsync("src"));
        Assert.NotEqual(pixels, await picture.ScreenshotAsync());

        await notebook.Screenshot("classic-end.png");
        notebook.AssertNoComplaints();
    }

    /// <summary>
    /// A slider that computes: dragged, the picture, the numbers and the chart follow; opened again without a kernel's answer, it goes over what was
    /// computed.
    /// </summary>
    [Fact]
    public async Task Notebook_SliderThatComputes_FollowsAndIsKept()
    {
        NotebookDocument document = new()
        {
            Cells =
            [
                new NotebookCell
                {
                    Source =
                        "using NullTextResearch;\nusing NullTextResearch.Interactive;\n"
                        + "var bench = Workbench.Open(null, new WorkbenchOptions { LoadPlotly = false });\nvar image = "
                        + "await bench.Invert(bench.Examples(1)[0], new InvertOptions { Steps = 10, Method = Methods.NullText(2) });",
                },
                new NotebookCell { Source = "var seen = await bench.Explore(image, [SweepAxis.Guidance(1, 2, 3, 4, 5, 6, 7.5)], ahead: 2);" },
            ],
        };
        document.Save(Path.Combine(server.Notebooks, "live.ipynb"));
        await using ClassicPage notebook = await server.Open("live.ipynb");
        await notebook.RunAll(120_000);
        Assert.Equal([], await notebook.Errors.AllInnerTextsAsync());

        ILocator cell = notebook.Page.Locator("#notebook-container > .cell").Nth(1),
            picture = cell.Locator(Shown),
            range = cell.Locator("input[type=range]");
        await picture.WaitForAsync();
        // At the end of the range, where the inversion was made; the other position ahead is the first.
        Assert.Equal("7.5", await cell.Locator(".nt-bar output").InnerTextAsync());
        Assert.Equal(0, await cell.Locator(".nt-frames:visible").CountAsync());
        string start = (await picture.GetAttributeAsync("src"))!;
        await range.ScrollIntoViewIfNeededAsync();
        LocatorBoundingBoxResult box = (await range.BoundingBoxAsync())!;
        await notebook.Page.Mouse.MoveAsync(box.X + box.Width - 8, box.Y + (box.Height / 2));
        await notebook.Page.Mouse.DownAsync();
        await notebook.Page.Mouse.MoveAsync(box.X + (box.Width / 2), box.Y + (box.Height / 2), new MouseMoveOptions { Steps = 12 });
        await notebook.Page.Mouse.UpAsync();
        await cell.GetByText("computed in").WaitForAsync();
        Assert.Equal("4", await cell.Locator(".nt-bar output").InnerTextAsync());
        string there = (await picture.GetAttributeAsync("src"))!;
        Assert.NotEqual(start, there);
        // Two numbers, each with its chart, and a dot for each position that is known.
        Assert.Equal(2, await cell.Locator("svg polyline").CountAsync());
        Assert.True(await cell.Locator("svg").First.Locator("circle").CountAsync() >= 3);
        ILocator count = await notebook.RunToEnd("Console.WriteLine(seen.Points.Count)");
        Assert.True(int.Parse((await count.Locator(".output_stdout").InnerTextAsync()).Trim(), System.Globalization.CultureInfo.InvariantCulture) >= 3);

        // By the keyboard too.
        await cell.Locator("input[type=range]").FocusAsync();
        await notebook.Page.Keyboard.PressAsync("ArrowRight");
        await cell.GetByText("computed in").WaitForAsync();
        await notebook.Screenshot("classic-live.png");

        // Saved: what was computed is in the file, as pictures that need no script.
        await notebook.Page.EvaluateAsync("Jupyter.notebook.save_notebook()");
        NotebookDocument? saved = null;
        for (int i = 0; i < 100 && saved?.Cells[1].Outputs.ToJsonString().Split("data-at=").Length is null or < 4; i++)
        {
            await Task.Delay(100);
            saved = NotebookDocument.Load(Path.Combine(server.Notebooks, "live.ipynb"));
        }

        Assert.True(saved!.Cells[1].Outputs.ToJsonString().Split("data-at=").Length >= 4);
        notebook.AssertNoComplaints();
    }

    [Fact]
    public async Task Notebook_AsCommittedAndNotTrusted_ShowsEveryPictureAndRunsNoScript()
    {
        File.Copy(SourceTree.At("notebooks", Chapter), Path.Combine(server.Notebooks, "read.ipynb"));
        NotebookDocument committed = NotebookDocument.Load(SourceTree.At("notebooks", Chapter));
        int pictures = committed.Cells.Sum(c => c.Outputs.Count(o => o!["data"]?["image/png"] is JsonNode));
        await using ClassicPage notebook = await server.Open("read.ipynb");

        Assert.False(await notebook.Page.EvaluateAsync<bool>("Jupyter.notebook.trusted"));
        Assert.Equal(0, await notebook.Page.Locator("[data-live], [data-drawn], .output script").CountAsync());
        // Of every output that has a picture, one at least is seen.
        Assert.Equal(
            pictures,
            await notebook.Page.EvaluateAsync<int>(
                "[...document.querySelectorAll('.output_area')].filter(a => [...a.querySelectorAll('img')].some(i => i.naturalWidth > 0 && "
                    + "i.offsetParent)).length"
            )
        );
        await notebook.Screenshot("classic-untrusted.png");
        notebook.AssertNoComplaints();
    }
}
