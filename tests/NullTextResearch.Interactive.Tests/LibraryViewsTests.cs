using Microsoft.DotNet.Interactive.Formatting;
using NullTextResearch.Diffusion;
using NullTextResearch.Figures;
using NullTextResearch.Hosting;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Rendering;
using NullTextResearch.Inversion;
using NullTextResearch.TestKit;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Interactive.Tests;

/// <summary>Cells that end with something of the library itself.</summary>
[Collection(nameof(BenchCollection))]
public sealed class LibraryViewsTests(Bench bench)
{
    [Fact]
    public void StandIn_Pictures_AreShownAsPictures()
    {
        RgbImage image = bench.Toy.Image;

        ImageView one = Assert.IsType<ImageView>(Notebook.StandIn(image));
        ImageView list = Assert.IsType<ImageView>(Notebook.StandIn(new List<RgbImage> { image, image }));
        ImageView array = Assert.IsType<ImageView>(Notebook.StandIn(new[] { image }));
        ImageView toys = Assert.IsType<ImageView>(Notebook.StandIn(bench.Workbench.Toy(2)));
        ImageView many = Assert.IsType<ImageView>(Notebook.StandIn(Enumerable.Repeat(image, 50).ToArray()));

        Assert.Equal(image, Assert.Single(one.Images).Image);
        Assert.Equal(["0", "1"], list.Images.Select(i => i.Name));
        Assert.Single(array.Images);
        Assert.Equal(bench.Workbench.Toy(2).Select(t => t.Caption), toys.Images.Select(i => i.Name));
        Assert.Equal("the first 30 of 50 pictures", many.Title);
        Assert.IsType<ChartView>(Notebook.StandIn(Bench.Lines));
        Assert.IsType<TableView>(
            Notebook.StandIn(
                new TableData(
                    "",
                    ["a"],
                    [
                        ["b"],
                    ]
                )
            )
        );
    }

    [Fact]
    public void StandIn_Tensor_TellsItsRange()
    {
        using Tensor tensor = torch.tensor(new float[] { 1, 2, 3, float.NaN }).reshape(2, 2);

        string text = Notebook.StandIn(tensor)!.ToString()!;

        Assert.Matches(@"shape +\[2, 2\]", text);
        Assert.Matches("type +Float32", text);
        Assert.Matches("smallest, largest +1, 3", text);
        Assert.Matches("mean +2", text);
        Assert.Matches("not finite +1 of 4", text);
        Assert.Matches("row 1 +3  NaN", text);
    }

    [Theory]
    [InlineData("scalar")]
    [InlineData("integers")]
    [InlineData("truths")]
    [InlineData("empty")]
    [InlineData("complex")]
    [InlineData("gradient")]
    [InlineData("large")]
    [InlineData("disposed")]
    public void StandIn_AnyTensor_LeavesNoTensorBehind(string kind)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor tensor = kind switch
        {
            "scalar" => torch.tensor(3.5),
            "integers" => arange(5),
            "truths" => ones(3, dtype: ScalarType.Bool),
            "empty" => zeros(0, 4),
            "complex" => zeros(2, dtype: ScalarType.ComplexFloat32),
            "gradient" => ones(2, requires_grad: true),
            "large" => zeros(1, 4, 64, 64, dtype: ScalarType.Float16),
            _ => zeros(1),
        };
        if (kind == "disposed")
            tensor.Dispose();
        long before = TensorAssert.Live;

        string text = Notebook.StandIn(tensor)!.ToString()!;

        Assert.Equal(before, TensorAssert.Live);
        Assert.Contains(
            kind switch
            {
                "scalar" => "3.5",
                "integers" => "0  1  2  3  4",
                "truths" => "1  1  1",
                "disposed" => "disposed",
                "large" => "[1, 4, 64, 64]",
                "empty" => "[0, 4]",
                "complex" => "ComplexFloat32",
                _ => "1  1",
            },
            text
        );
    }

    [Fact]
    public void StandIn_ResultsAndOptions_AreTablesOfTheirMembers()
    {
        string inversion = Notebook.StandIn(bench.Inverted.Inversion)!.ToString()!;
        string edit = Notebook.StandIn(bench.Edited.Result)!.ToString()!;
        string options = Notebook.StandIn(NullTextOptions.Default)!.ToString()!;

        Assert.Matches("Method +null-text", inversion);
        Assert.Matches(@"StartLatents +\[1, 4, \d+, \d+\] Float32", inversion);
        Assert.Matches("Unconditional .*one per step", inversion);
        Assert.Matches($"Pivot +{Bench.Steps + 1} levels of", inversion);
        Assert.Matches($"Optimisation +1 x {Bench.Steps}", inversion);
        Assert.Matches(@"Elapsed +[0-9.]+ s", inversion);
        Assert.Matches(@"Latents +\[2, 4, ", edit);
        Assert.Matches("InnerSteps +10", options);
        Assert.DoesNotContain("cannot be shown", Assert.IsType<TableView>(Notebook.StandIn(bench.Inverted.Inversion)).ToHtml());
    }

    [Fact]
    public void StandIn_DisposedResult_StillShowsItsNumbers()
    {
        InversionResult result = new()
        {
            Method = "mine",
            GuidanceScale = 7.5,
            StartLatents = zeros(1, 4, 2, 2),
            Conditional = StepEmbeddings.Constant(zeros(1, 2, 3)),
            Unconditional = StepEmbeddings.Constant(zeros(1, 2, 3)),
            EvaluationsPerImage = 1,
            Elapsed = TimeSpan.FromSeconds(1.5),
            Options = NullTextOptions.Default,
        };
        result.Dispose();

        string text = Notebook.StandIn(result)!.ToString()!;

        Assert.Matches("StartLatents +disposed", text);
        Assert.Matches(@"Elapsed +1\.5 s", text);
    }

    [Fact]
    public void StandIn_WhatIsNotOurs_IsLeftAlone()
    {
        object[] values = ["text", 1, new List<int> { 1 }, new Uri("file:///x"), bench.Edited, new List<RgbImage>(), DateTime.UnixEpoch, new Action(() => { })];

        Assert.All(values, v => Assert.Same(v, Notebook.StandIn(v)));
        Assert.Null(Notebook.StandIn(null));
    }

    [Fact]
    public void ToDisplayString_LibraryObjectsInDotNetInteractive_LookTheSame()
    {
        DotNetInteractiveFormatters.Register(typeof(Formatter).Assembly);
        using Tensor tensor = torch.tensor(new float[] { 1, 2 });

        Assert.Contains("<img", bench.Toy.Image.ToDisplayString("text/html"));
        Assert.Contains("<img", new List<RgbImage> { bench.Toy.Image }.ToDisplayString("text/html"));
        Assert.Contains("<img", bench.Workbench.Toy(1).ToDisplayString("text/html"));
        Assert.Contains("smallest, largest", tensor.ToDisplayString("text/html"));
        Assert.Contains("StartLatents", bench.Inverted.Inversion.ToDisplayString("text/html"));
        Assert.Contains("null-text,3,27", Bench.Lines.ToDisplayString("text/plain"));
        Assert.Contains("text/html", Formatter.GetPreferredMimeTypesFor(typeof(RgbImage)));
    }
}
