using Microsoft.Playwright;
using NullTextResearch.Experiments;
using NullTextResearch.Figures;

namespace NullTextResearch.Interactive.Tests;

/// <summary>sd-mini with a few results of few steps, computed once for all tests.</summary>
public sealed class Bench : IAsyncLifetime
{
    public const int Steps = 6;

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public Workbench Workbench { get; } = Workbench.Open(options: new WorkbenchOptions { Threads = 1, StaticCharts = false });

    public ExperimentImage Toy => Workbench.Toy(1)[0];

    public string Target => Toy.Edits[0].Prompt;

    /// <summary>A word of the caption that is a thing.</summary>
    public string Word => Toy.Caption.Split(' ').MaxBy(w => w.Length)!;

    public InvertedImage Inverted { get; private set; } = null!;

    public EditedImage Edited { get; private set; } = null!;

    public Comparison Comparison { get; private set; } = null!;

    public SweepResult Sweep { get; private set; } = null!;

    public AttentionView Attention { get; private set; } = null!;

    public GridView Trajectory { get; private set; } = null!;

    public static InvertOptions Short => new() { Steps = Steps, Method = Methods.NullText(3) };

    public static LineChart Lines =>
        new()
        {
            Title = "PSNR <over> steps",
            XAxis = new Axis("step"),
            YAxis = new Axis("PSNR", "dB"),
            Series = [new LineSeries("null-text", [1, 2, 3], [20, 25, 27]), new LineSeries("DDIM", [1, 2, 3], [20, 20.5, 21])],
        };

    public async ValueTask InitializeAsync()
    {
        Inverted = await Workbench.Invert(Toy, Short);
        Edited = await Workbench.Edit(Inverted, Target);
        Comparison = await Workbench.Compare(Toy.Image, Toy.Caption, [Methods.Ddim(), Methods.NullText(2)], new InvertOptions { Steps = Steps });
        Sweep = await Workbench.Sweep(Inverted, SweepAxis.Guidance(1, 3, 7.5));
        Attention = await Workbench.Attention(Inverted);
        Trajectory = await Workbench.Trajectory(Inverted, 4);
    }

    /// <summary>A browser, started once; skips the test where none is installed.</summary>
    public async Task<IBrowser> Browser()
    {
        ChromiumSearch search = ChromiumRenderer.Find();
        Assert.SkipWhen(search.Renderer is null, search.Message);
        if (_browser is not null)
            return _browser;
        _playwright = await Playwright.CreateAsync();
        return _browser = await _playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions
            {
                ExecutablePath = search.Renderer!.ExecutablePath,
                Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"],
            }
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        Inverted?.Dispose();
        Edited?.Dispose();
        Comparison?.Dispose();
        Workbench.Dispose();
    }

    /// <summary>One of every kind of result.</summary>
    public IReadOnlyList<Visual> Everything =>
        [
            Inverted,
            Edited,
            Comparison,
            Sweep,
            Attention,
            Trajectory,
            View.Images(("a", Toy.Image), ("b", Inverted.Reconstruction)),
            View.Compare(("a", Toy.Image), ("b", Inverted.Reconstruction)),
            View.Chart(Lines),
            View.Table(
                "A & B",
                ["name", "value"],
                [
                    ["x", "1.5"],
                    ["<y>", "2"],
                ]
            ),
            View.FilmStrip([Toy.Image, Toy.Image], ["one", "two"]),
            View.Slider(new SliderAxis("k", ["0", "1"]), [("zero", Toy.Image), ("one", Inverted.Reconstruction)]),
            View.Stack(View.Image(Toy.Image), View.Chart(Lines)),
            Inverted.LossChart(),
            Inverted.EmbeddingChart(),
            Comparison.Chart(),
            Comparison.Table(),
            Sweep.PsnrChart(),
            Sweep.Grid(),
            Workbench.Latents(Inverted.Inversion.StartLatents),
        ];
}

[CollectionDefinition(nameof(BenchCollection))]
public sealed class BenchCollection : ICollectionFixture<Bench>;
