using Microsoft.Playwright;

namespace NullTextResearch.Interactive.Tests;

/// <summary>Results in a real browser, without any kernel: what a reader of a saved notebook has.</summary>
[Collection(nameof(BenchCollection))]
public sealed class BrowserTests(Bench bench)
{
    // Where a picture's pixels differ, its source differs: frames are inside the page.
    private const string Visible = "[...document.querySelectorAll('#out0 .nt-shown')].filter(p => p.offsetParent).map(p => p.src)";

    [Fact]
    public async Task Slider_Dragged_ChangesThePicture()
    {
        await using NotebookPage notebook = await NotebookPage.Open(await bench.Browser(), [bench.Sweep.ToHtml()]);
        ILocator range = notebook.Page.Locator("#out0 input[type=range]");
        Assert.Equal("7.5", await notebook.Page.Locator("#out0 output").InnerTextAsync());
        string before = Assert.Single(await notebook.Page.EvaluateAsync<string[]>(Visible));

        LocatorBoundingBoxResult box = (await range.BoundingBoxAsync())!;
        await notebook.Page.Mouse.MoveAsync(box.X + box.Width - 8, box.Y + box.Height / 2);
        await notebook.Page.Mouse.DownAsync();
        await notebook.Page.Mouse.MoveAsync(box.X + 4, box.Y + box.Height / 2, new MouseMoveOptions { Steps = 6 });
        await notebook.Page.Mouse.UpAsync();

        string after = Assert.Single(await notebook.Page.EvaluateAsync<string[]>(Visible));
        Assert.NotEqual(before, after);
        Assert.Equal("1", await notebook.Page.Locator("#out0 output").InnerTextAsync());
        notebook.AssertNoComplaints();
    }

    [Fact]
    public async Task Slider_TwoAxes_ShowsThePictureOfBoth()
    {
        (string, Images.RgbImage)[] frames = [.. Enumerable.Range(0, 6).Select(i => ($"frame {i}", bench.Comparison.Results[0][i % 2].Image))];
        SliderView view = View.Slider(new SliderAxis("row", ["a", "b"]), new SliderAxis("column", ["0", "1", "2"]), frames);
        await using NotebookPage notebook = await NotebookPage.Open(await bench.Browser(), [view.ToHtml()]);

        await notebook.Page.Locator("#out0 input").Nth(0).FillAsync("1");
        await notebook.Page.Locator("#out0 input").Nth(1).PressAsync("ArrowRight");

        Assert.Equal("frame 4", await notebook.Page.Locator("#out0 .nt-shown + figcaption").InnerTextAsync());
        notebook.AssertNoComplaints();
    }

    [Fact]
    public async Task Compare_Dragged_MovesTheDividerAndButtonsChooseThePictures()
    {
        await using NotebookPage notebook = await NotebookPage.Open(await bench.Browser(), [bench.Edited.ToHtml()]);
        ILocator split = notebook.Page.Locator("#out0 .nt-split");
        LocatorBoundingBoxResult box = (await split.BoundingBoxAsync())!;
        byte[] middle = await split.ScreenshotAsync();

        await notebook.Page.Mouse.MoveAsync(box.X + box.Width / 2, box.Y + box.Height / 2);
        await notebook.Page.Mouse.DownAsync();
        await notebook.Page.Mouse.MoveAsync(box.X + box.Width * 0.1f, box.Y + box.Height / 2, new MouseMoveOptions { Steps = 4 });
        await notebook.Page.Mouse.UpAsync();

        Assert.Equal("10", await split.GetAttributeAsync("aria-valuenow"));
        Assert.NotEqual(middle, await split.ScreenshotAsync());
        string left = await notebook.Page.EvaluateAsync<string>("document.querySelector('#out0 .nt-split .nt-over').src");
        await notebook.Page.Locator("#out0 .nt-pick").Nth(0).GetByText("reconstruction").ClickAsync();
        Assert.NotEqual(left, await notebook.Page.EvaluateAsync<string>("document.querySelector('#out0 .nt-split .nt-over').src"));
        notebook.AssertNoComplaints();
    }

    [Fact]
    public async Task Attention_WordPointedAt_ShowsItsMap()
    {
        await using NotebookPage notebook = await NotebookPage.Open(await bench.Browser(), [bench.Attention.ToHtml()]);
        string Shown() => "document.querySelector('#out0 > .nt-view > img').src";
        string first = await notebook.Page.EvaluateAsync<string>(Shown());

        await notebook.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "a", Exact = true }).HoverAsync();

        Assert.NotEqual(first, await notebook.Page.EvaluateAsync<string>(Shown()));
        notebook.AssertNoComplaints();
    }

    [Fact]
    public async Task Everything_ScriptsOff_StillShowsEveryPicture()
    {
        await using NotebookPage notebook = await NotebookPage.Open(
            await bench.Browser(),
            [bench.Sweep.ToHtml(), bench.Edited.ToHtml(), bench.Attention.ToHtml()],
            scripts: false
        );

        Assert.Equal(3 + 1, await notebook.Page.Locator("#out0 td:visible img").CountAsync());
        Assert.Equal(3, await notebook.Page.Locator("#out1 td:visible img").CountAsync());
        Assert.Equal(1 + bench.Attention.Words.Count, await notebook.Page.Locator("#out2 td:visible img").CountAsync());
    }

    [Theory]
    [InlineData("loader first", "")]
    [InlineData("loader last", "")]
    // Classic Notebook brings a module loader, to which plotly.js would hand itself.
    [InlineData("loader first", "<script>window.define = function () { window.taken = true; }; window.define.amd = {}; </script>")]
    public async Task Chart_WithLoader_IsDrawnOffline(string order, string head)
    {
        string chart = View.Chart(Bench.Lines).ToHtml(),
            loader = PlotlyLoader.Here.Render().ToHtml()!;
        await using NotebookPage notebook = await NotebookPage.Open(await bench.Browser(), order == "loader first" ? [loader, chart] : [chart, loader], head);

        await notebook.Page.WaitForSelectorAsync(
            ".nt-plot[data-drawn] .main-svg .xy path",
            new PageWaitForSelectorOptions { State = WaitForSelectorState.Attached, Timeout = 20_000 }
        );

        Assert.Equal(0, await notebook.Page.Locator(".nt-plot[data-drawn] pre").CountAsync());
        Assert.False(await notebook.Page.EvaluateAsync<bool>("!!window.taken"));
        notebook.AssertNoComplaints();
    }

    [Fact]
    public async Task Chart_FarDown_LeavesPlotlyPacked()
    {
        string far = "<div style=\"height:5000px\"></div>";
        await using NotebookPage notebook = await NotebookPage.Open(
            await bench.Browser(),
            [PlotlyLoader.Here.Render().ToHtml()!, far, View.Chart(Bench.Lines).ToHtml()]
        );

        await Task.Delay(300);

        Assert.False(await notebook.Page.EvaluateAsync<bool>("!!(window.Plotly || window.nullTextLoading)"));
        await notebook.Page.Locator(".nt-plot").ScrollIntoViewIfNeededAsync();
        await notebook.Page.WaitForSelectorAsync(".nt-plot[data-drawn]", new PageWaitForSelectorOptions { Timeout = 20_000 });
        notebook.AssertNoComplaints();
    }

    [Fact]
    public async Task Chart_WithoutLoader_KeepsItsStandIn()
    {
        await using NotebookPage notebook = await NotebookPage.Open(await bench.Browser(), [View.Chart(Bench.Lines).ToHtml()]);

        Assert.Contains("null-text,3,27", await notebook.Page.Locator(".nt-plot pre").InnerTextAsync());
        notebook.AssertNoComplaints();
    }

    [Fact]
    public async Task Page_OfManyResults_FitsTheWidth()
    {
        ProgressOf progress = new(bench);
        await using NotebookPage notebook = await NotebookPage.Open(
            await bench.Browser(),
            [
                PlotlyLoader.Here.Render().ToHtml()!,
                .. progress.Html,
                bench.Inverted.ToHtml(),
                bench.Edited.ToHtml(),
                bench.Sweep.ToHtml(),
                bench.Attention.ToHtml(),
                bench.Trajectory.ToHtml(),
                bench.Comparison.ToHtml(),
                bench.Comparison.Chart().ToHtml(),
                bench.Inverted.LossChart().ToHtml(),
                bench.Workbench.Latents(bench.Inverted.Inversion.StartLatents).ToHtml(),
            ]
        );
        Assert.Equal(2, await notebook.Page.Locator(".nt-plot").CountAsync());
        foreach (ILocator chart in await notebook.Page.Locator(".nt-plot").AllAsync())
        {
            // Drawn when it is looked at.
            await chart.ScrollIntoViewIfNeededAsync();
            await chart.Locator(".main-svg .xy path").First.WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Attached, Timeout = 20_000 });
        }

        Assert.True(await notebook.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= 1000);
        Assert.True(await notebook.Page.EvaluateAsync<bool>("[...document.images].every(i => i.complete && i.naturalWidth > 0)"));
        await notebook.Screenshot("interactive.png");
        notebook.AssertNoComplaints();
    }

    private sealed class ProgressOf(Bench bench)
    {
        public IEnumerable<string> Html =>
            [
                new Display.ProgressView("null-text inversion")
                {
                    At = new Inversion.InversionProgress("null-text inversion", 17, 50, 3, 2.4e-4),
                    Elapsed = TimeSpan.FromSeconds(21),
                    Remaining = TimeSpan.FromSeconds(40),
                    Preview = bench.Inverted.Reconstruction,
                }
                    .Render()
                    .ToHtml()!,
                new Display.ProgressView("null-text inversion") { End = Display.ProgressEnd.Done, Elapsed = TimeSpan.FromSeconds(61) }
                    .Render()
                    .ToHtml()!,
                new Display.ProgressView("null-text inversion")
                {
                    At = new Inversion.InversionProgress("null-text inversion", 17, 50, 3, 2.4e-4),
                    End = Display.ProgressEnd.Stopped,
                    Elapsed = TimeSpan.FromSeconds(23),
                }
                    .Render()
                    .ToHtml()!,
            ];
    }
}
