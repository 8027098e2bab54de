using System.Text.RegularExpressions;
using NullTextResearch.Interactive.Display;
using NullTextResearch.Metrics;
using NullTextResearch.Text;

namespace NullTextResearch.Interactive.Tests;

/// <summary>
/// Sliders where nobody can compute later: what a kernel without channels, and a console, show. What our kernel adds is tested through its sockets.
/// </summary>
[Collection(nameof(BenchCollection))]
public sealed class ExplorationTests(Bench bench)
{
    private Workbench Workbench => bench.Workbench;

    [Fact]
    public async Task Explore_NoChannel_ComputesTheSweepsPicturesBeforehand()
    {
        (Exploration seen, RecordingOutput output) = await Recorded(() => Workbench.Explore(bench.Inverted, [SweepAxis.Guidance(1, 4, 7.5)]));
        SweepResult sweep = await Workbench.Sweep(bench.Inverted, SweepAxis.Guidance(1, 4, 7.5));
        Assert.False(seen.IsLive);
        Assert.Equal(sweep.Points.Select(p => p.Values), seen.Points.Select(p => p.Values));
        Assert.Equal(sweep.Points.Select(p => p.Image), seen.Points.Select(p => p.Image));
        Assert.Equal(sweep.Points.Select(p => p.Psnr), seen.Points.Select(p => p.Measures[0].Value));

        LiveView view = Assert.Single(output.Shown.OfType<LiveView>());
        FramesView frames = Assert.Single(output.Shown.OfType<FramesView>());
        string page = view.Render().ToHtml()!,
            kept = frames.Render().ToHtml()!;
        Assert.Contains("&quot;live&quot;:false", page, StringComparison.Ordinal);
        // The inversion's own guidance is where the slider starts.
        Assert.Contains("&quot;start&quot;:2", page, StringComparison.Ordinal);
        Assert.Equal(["0", "1", "2"], Regex.Matches(kept, "data-at=\"([^\"]+)\"").Select(m => m.Groups[1].Value).Order());
        Assert.Equal(Regex.Match(page, "data-nt=\"([^\"]+)\"").Groups[1].Value, Regex.Match(kept, "data-nt-frames=\"([^\"]+)\"").Groups[1].Value);
        Assert.NotNull(frames.Render().Png!());
    }

    [Fact]
    public async Task Explore_SeveralSliders_CrossesTwoAndGoesThroughMore()
    {
        SweepAxis[] axes = [.. Enumerable.Range(0, 4).Select(i => SweepAxis.Of($"axis {i}", 0, 1, 2))];
        ExplorationPoint Sum(IReadOnlyList<double> values, ExplorationWork work) => new(bench.Toy.Image, new Measure("sum", values.Sum()));
        (Exploration two, _) = await Recorded(() => Workbench.Explore("two", axes[..2], Sum));
        (Exploration four, _) = await Recorded(() => Workbench.Explore("four", axes, Sum));
        Assert.Equal(9, two.Points.Count);
        Assert.Equal(1 + (4 * 2), four.Points.Count);
        Assert.All(four.Points, p => Assert.InRange(p.Values.Count(v => v != 0), 0, 1));
        Assert.Equal(3, ((Figures.LineChart)two.Chart("sum").Chart).Series.Count);
        Assert.Contains("available: sum", Assert.Throws<ArgumentException>(() => two.Chart("product")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ExploreGuidance_RenderedScene_MeasuresSourceTruthAndNoise()
    {
        Experiments.PlannedEdit edit = bench.Toy.Edits[0];
        (Exploration seen, _) = await Recorded(() => Workbench.ExploreGuidance(bench.Toy, edit, [1, 7.5], steps: 4));
        Assert.Equal(
            ["distance to the source", "distance to the truth", "log-likelihood of the noise", "source, rebuilt: PSNR"],
            seen.Points[0].Measures.Select(m => m.Name)
        );
        // The paper's Fig. 9a: guided inversion ends at noise that is less likely.
        Assert.True(seen.Points[1].Measures[2].Value < seen.Points[0].Measures[2].Value);
        Assert.Equal(MultiScaleDistance.Of(edit.Truth!, seen.Points[0].Image), seen.Points[0].Measures[1].Value);
        (Exploration rebuilt, _) = await Recorded(() => Workbench.ExploreGuidance(bench.Toy, null, [1], steps: 2));
        Assert.DoesNotContain(rebuilt.Points[0].Measures, m => m.Name.Contains("truth", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ExploreSdEdit_MoreStrength_MovesFurther()
    {
        (Exploration seen, _) = await Recorded(() => Workbench.ExploreSdEdit(bench.Inverted, bench.Target, [0.2, 0.9]));
        Assert.True(seen.Points[1].Measures[0].Value > seen.Points[0].Measures[0].Value);
    }

    [Fact]
    public async Task Explore_BadInput_IsRefusedBeforeAnythingIsShown()
    {
        Func<IReadOnlyList<double>, ExplorationWork, ExplorationPoint> none = (_, _) => throw new InvalidOperationException("never asked");
        (IReadOnlyList<SweepAxis> Axes, string Words)[] wrong = [([], "one to four sliders, got 0"), ([SweepAxis.Of("empty")], "'empty' has no values")];
        foreach ((IReadOnlyList<SweepAxis> axes, string words) in wrong)
        {
            RecordingOutput output = new();
            Output.Choose(output);
            Assert.Contains(words, (await Assert.ThrowsAsync<ArgumentException>(() => Workbench.Explore("x", axes, none))).Message, StringComparison.Ordinal);
            Output.Choose(null);
            Assert.Empty(output.Shown);
        }

        // What the computation throws is thrown where the call is awaited, as it is.
        Assert.Equal(
            "never asked",
            (await Assert.ThrowsAsync<InvalidOperationException>(() => Recorded(() => Workbench.Explore("x", [SweepAxis.Of("a", 1)], none)))).Message
        );
        await Assert.ThrowsAsync<WordNotInPromptException>(() => Recorded(() => Workbench.Explore(bench.Inverted, [SweepAxis.Word("elephant", 1, 2)])));
    }

    private static async Task<(Exploration Seen, RecordingOutput Output)> Recorded(Func<Task<Exploration>> explore)
    {
        RecordingOutput output = new();
        Output.Choose(output);
        try
        {
            return (await explore(), output);
        }
        finally
        {
            Output.Choose(null);
        }
    }
}
