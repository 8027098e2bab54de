using NullTextResearch.Experiments;
using NullTextResearch.Figures.Paper;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Display;
using NullTextResearch.Inversion;
using NullTextResearch.TestKit;
using NullTextResearch.Text;
using TorchSharp;

namespace NullTextResearch.Interactive.Tests;

/// <summary>The calls of a notebook, on sd-mini.</summary>
[Collection(nameof(BenchCollection))]
public sealed class WorkbenchTests(Bench bench)
{
    private Workbench Workbench => bench.Workbench;

    [Fact]
    public void Grid_ManyMethods_FoldsEachImagesRow()
    {
        string[] names = [.. Enumerable.Range(0, 9).Select(i => $"method {i}")];
        Comparison wide = new(
            names,
            [
                [.. names.Select(_ => bench.Inverted)],
                [.. names.Select(_ => bench.Inverted)],
            ]
        );

        Figures.ImageGrid grid = wide.Grid().Grid;

        Assert.Null(grid.ColumnLabels);
        Assert.Equal([6, 5, 6, 5], grid.Rows.Select(r => r.Count));
        Assert.Equal([bench.Inverted.Prompt, "", bench.Inverted.Prompt, ""], grid.RowLabels!);
        Assert.Equal("image", grid.Rows[0][0]!.Label);
        Assert.Equal(
            $"method 8\n{bench.Inverted.ReconstructionPsnr.ToString("0.0", System.Globalization.CultureInfo.InvariantCulture)} dB",
            grid.Rows[1][4]!.Label
        );
        Assert.NotNull(wide.ToPng());
    }

    [Fact]
    public async Task Open_InBf16WithLittleMemory_InvertsAsWell()
    {
        using Workbench small = Workbench.Open(
            options: new WorkbenchOptions
            {
                Threads = 1,
                LoadPlotly = false,
                StaticCharts = false,
                Precision = "bf16",
                Memory = MemoryOptions.Least,
            }
        );
        Assert.Equal((torch.ScalarType.BFloat16, torch.ScalarType.Float32), (small.Model.Dtype, small.Model.LatentDtype));
        Assert.Contains("checkpointing, sequential", small.ToString());
        Assert.DoesNotContain("memory saved by", Workbench.ToString());
        ExperimentImage scene = small.Toy()[0];
        InvertedImage inverted = await small.Invert(scene.Image, scene.Caption, new InvertOptions { Steps = 2, Method = Methods.NullText(2) });
        Assert.InRange(inverted.ReconstructionPsnr, 10, inverted.RoundTripPsnr + 1);
        Assert.Contains(
            "fp32, bf16, fp16",
            Assert.Throws<ArgumentException>(() => Workbench.Open(options: new WorkbenchOptions { Precision = "half" })).Message
        );
    }

    [Fact]
    public async Task Figure_OfThePaper_ShowsVerdictsChartsAndPictures()
    {
        ExperimentSettings settings = ExperimentSettings.Quick with { Steps = 3, InnerSteps = [1], GlobalPasses = [1], Strengths = [0.4, 0.8] };

        FigureContent figure = await Workbench.Figure("8", [bench.Toy], settings);

        StackView shown = Assert.IsType<StackView>(Hosting.Notebook.StandIn(figure));
        Assert.Contains(shown.Parts, p => p is ChartView);
        Assert.Contains(shown.Parts, p => p is GridView);
        TableView claims = Assert.IsType<TableView>(shown.Parts[1]);
        Assert.Equal(figure.Claims.Count, claims.Table.Rows.Count);
        Assert.Contains("the paper", shown.ToString(), StringComparison.Ordinal);
        Assert.Contains(
            "without an edit",
            (await Assert.ThrowsAsync<ArgumentException>(() => Workbench.Figure("8", [bench.Toy with { Edits = [] }]))).Message,
            StringComparison.Ordinal
        );
        Assert.Contains("Known:", (await Assert.ThrowsAsync<ArgumentException>(() => Workbench.Figure("7", [bench.Toy]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Invert_NullText_RebuildsBetterThanDdimAndTellsSo()
    {
        Assert.True(bench.Inverted.ReconstructionPsnr > bench.Comparison["DDIM inversion"].ReconstructionPsnr);
        Assert.InRange(bench.Inverted.ReconstructionPsnr, 10, bench.Inverted.RoundTripPsnr + 1);
        Assert.Contains("null-text inversion, T = 6, w = 7.5: PSNR", bench.Inverted.ToString());
        Assert.Equal(Bench.Steps, bench.Inverted.EmbeddingDistance.Count);
        Assert.All(bench.Inverted.EmbeddingDistance, d => Assert.True(d > 0));
    }

    /// <summary>Latents of 13 x 24: rows halve unevenly.</summary>
    [Fact]
    public async Task AnySize_EveryCall_KeepsItsShape()
    {
        RgbImage wide = new ImagePreparation { Size = new PixelSize(96, 52) }.Apply(bench.Toy.Image);
        using InvertedImage image = await Workbench.Invert(
            wide,
            bench.Toy.Caption,
            new InvertOptions
            {
                Steps = 3,
                Method = Methods.NullText(1),
                Size = ImageSizing.AsIs,
            }
        );
        using EditedImage edit = await Workbench.Edit(image, bench.Target, new EditOptions { Blend = [bench.Word] });
        AttentionView maps = await Workbench.Attention(image);
        SweepResult sdEdit = await Workbench.SdEdit(image, bench.Target, [0.5]);
        Comparison compared = await Workbench.Compare(
            [new ExperimentImage("wide", wide, bench.Toy.Caption)],
            [Methods.Ddim(), Methods.Direct()],
            new InvertOptions { Steps = 3 }
        );

        Assert.All(
            (RgbImage[])
                [
                    image.Image,
                    image.RoundTrip,
                    image.Reconstruction,
                    edit.Image,
                    edit.Reconstruction,
                    sdEdit.Points[0].Image,
                    compared.Results[0][0].Reconstruction,
                ],
            picture => Assert.Equal(new PixelSize(96, 52), PixelSize.Of(picture))
        );
        Assert.Equal((24, 13), (maps.Width, maps.Height));
        Assert.All(edit.Mask().Images, i => Assert.Equal(96.0 / 52, (double)i.Image.Width / i.Image.Height, 0.001));
        Assert.NotNull(maps.ToPng());
        Assert.NotNull((await Workbench.Trajectory(image, 2)).ToPng());
    }

    [Fact]
    public void Size_PictureOrImageOfASet_FollowsTheOption()
    {
        RgbImage wide = new ImagePreparation { Size = new PixelSize(96, 52) }.Apply(bench.Toy.Image);
        string path = Path.Combine(Directory.CreateTempSubdirectory("nulltext-size-").FullName, "wide.png");
        ImageFile.SavePng(wide, path);
        Assert.Equal(new PixelSize(64, 64), PixelSize.Of(Workbench.Load(path)));
        Assert.Equal(new PixelSize(88, 48), PixelSize.Of(Workbench.Load(path, size: ImageSizing.Keep)));
        Assert.Equal(wide, Workbench.Load(path, size: ImageSizing.AsIs));
        Assert.Contains(
            "multiples of 4",
            Assert.Throws<ArgumentException>(() => Workbench.Load(path, new ImagePreparation { Left = 1 }, ImageSizing.AsIs)).Message
        );
        Assert.Equal(Workbench.Toy(3).Select(t => t.Hash), Workbench.Examples(3).Select(t => t.Hash));
        Assert.Equal(new PixelSize(32, 32), PixelSize.Of(Workbench.Examples(1, ImageSizing.Of(32))[0].Image));
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public void Examples_ModelOfTheRealKind_AreThePhotographs()
    {
        string folder = Directory.CreateTempSubdirectory("nulltext-real-").FullName;
        ModelFiles.WriteFolder(
            folder,
            (OriginalModel.TinyV1 with { ResidualBlocks = 1, Multipliers = [1, 2], AttentionAt = [2], VaeMultipliers = [1, 1, 1, 1] }).WithVocabulary(),
            hollow: true
        );
        using (Workbench real = Workbench.Open(folder, new WorkbenchOptions { LoadPlotly = false, StaticCharts = false }))
        {
            IReadOnlyList<ExperimentImage> photographs = real.Examples(3);
            Assert.Equal(["01-cat", "02-coffee", "03-astronaut"], photographs.Select(p => p.Name));
            Assert.All(photographs, p => Assert.Equal(new PixelSize(512, 512), PixelSize.Of(p.Image)));
            Assert.Equal(("cat", "dog"), (photographs[0].Edits[0].SourceBlendWord, photographs[0].Edits[0].TargetBlendWord));
            Assert.Equal(7, real.Examples(100).Count);
            Assert.Equal(new PixelSize(256, 256), PixelSize.Of(real.Examples(1, ImageSizing.Of(256))[0].Image));
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void LossChart_MethodWithoutOptimisation_SaysThatThereIsNoLoss()
    {
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => bench.Comparison["DDIM inversion"].LossChart());

        Assert.Contains("DDIM inversion does not optimise", error.Message);
        Assert.All(bench.Comparison["DDIM inversion"].EmbeddingDistance, d => Assert.Equal(0, d));
    }

    [Fact]
    public void Edit_OtherPrompt_ChangesTheImageButNotItsSource()
    {
        Assert.NotEqual(bench.Edited.Reconstruction, bench.Edited.Image);
        Assert.True(Metrics.Psnr.Of(bench.Edited.Reconstruction, bench.Inverted.Reconstruction) > 40);
        Assert.Equal(Attention(bench.Edited).Words.Select(w => w.Word), bench.Target.Split(' '));

        AttentionView Attention(EditedImage edit) => Workbench.Attention(edit);
    }

    [Fact]
    public async Task Mask_OfALocalBlend_ShowsWhereTheEditMayChangeThePicture()
    {
        using EditedImage edit = await Workbench.Edit(bench.Inverted, bench.Target, new EditOptions { Blend = [bench.Word] });

        Assert.Equal(["source", "may change", "edit"], edit.Mask().Images.Select(i => i.Name));
        Assert.Contains("no local blend", Assert.Throws<InvalidOperationException>(() => bench.Edited.Mask()).Message);
        Assert.True(edit.Distance < bench.Edited.Distance);
    }

    [Fact]
    public void Attention_WordOfThePrompt_HasItsMap()
    {
        Assert.Equal(1, bench.Attention[bench.Word].Values.Max());
        Assert.InRange(bench.Attention[bench.Word].Concentration, 0.1, 1);
        Assert.Contains(bench.Word, Assert.Throws<ArgumentException>(() => bench.Attention["zebra"]).Message);
    }

    [Fact]
    public async Task Edit_WordsOfTheOptions_AreLookedUp()
    {
        WordNotInPromptException error = await Assert.ThrowsAsync<WordNotInPromptException>(() =>
            Workbench.Edit(bench.Inverted, bench.Toy.Caption, new EditOptions { Weights = new Dictionary<string, double> { ["zebra"] = 2 } })
        );

        Assert.Contains("zebra", error.Message);
    }

    [Fact]
    public async Task Invert_UnknownWord_IsNotedInTheOutput_AndNothingElseIsRefused()
    {
        RecordingOutput output = new();
        Output.Choose(output);
        try
        {
            using InvertedImage image = await Workbench.Invert(
                bench.Toy.Image,
                "a hosue in the snow",
                new InvertOptions { Steps = 2, Method = Methods.Ddim() }
            );
            Assert.StartsWith("note: sd-mini does not know 'hosue' (near: house)", output.Shown.OfType<string>().Single());
            output.Shown.Clear();

            await Assert.ThrowsAsync<UnknownWordsException>(() => Workbench.Edit(image, "an aeroplane made of cheese"));
            await Assert.ThrowsAsync<UnknownWordsException>(() => Workbench.SdEdit(image, "an elephant", [0.5]));
            await Assert.ThrowsAsync<UnknownWordsException>(() => Workbench.Sweep(image, SweepAxis.Guidance(1), prompt: "an elephant"));
            await Assert.ThrowsAsync<UnknownWordsException>(() => Workbench.Compare(bench.Toy.Image, "an elephant"));
            Assert.DoesNotContain(output.Shown, o => o is string);
        }
        finally
        {
            Output.Choose(null);
        }
    }

    [Fact]
    public void Compare_TwoMethods_HasPicturesAndATable()
    {
        string text = bench.Comparison.ToString();

        Assert.Contains("DDIM inversion", text);
        Assert.Contains("PSNR [dB]", text);
        Assert.Contains("null-text inversion", text);
        Assert.Equal("DDIM inversion", bench.Comparison.Methods[0]);
        Assert.Equal(["image", "DDIM inversion", "null-text inversion"], bench.Comparison.Slider().Images.Select(i => i.Name));
        Assert.Throws<ArgumentException>(() => bench.Comparison["textual"]);
    }

    [Fact]
    public async Task Compare_OwnMethodRegistered_AppearsInTheNextComparison()
    {
        using Workbench own = Workbench.Open(options: new WorkbenchOptions { Threads = 1, StaticCharts = false });
        Assert.Equal(4, own.Registered.Count);
        own.Register(new Mine());
        own.Register(new Mine());
        Assert.Equal(5, own.Registered.Count);

        using Comparison comparison = await own.Compare(
            bench.Toy.Image,
            bench.Toy.Caption,
            [own.Registered[0], own.Registered[4]],
            new InvertOptions { Steps = 2 }
        );

        Assert.Equal(["DDIM inversion", "mine"], comparison.Methods);
        Assert.Equal(comparison["DDIM inversion"].Reconstruction, comparison["mine"].Reconstruction);
    }

    [Fact]
    public void Sweep_GuidanceOfAReconstruction_IsTheReconstructionAtItsOwnGuidance()
    {
        Assert.Equal([1, 3, 7.5], bench.Sweep.Points.Select(p => p.Values[0]));
        // The library hands over what its optimisation ended at; sampling comes there again, up to rounding.
        Assert.True(Metrics.Psnr.Of(bench.Sweep.Points[2].Image, bench.Inverted.Reconstruction) > 45);
        Assert.True(Metrics.Psnr.Of(bench.Sweep.Points[0].Image, bench.Inverted.Reconstruction) < 45);
        Assert.Equal(2, bench.Sweep.View.Axes[0].Start);
    }

    [Fact]
    public async Task Sweep_WordAndGuidance_HasAPictureForEveryPair()
    {
        SweepResult sweep = await Workbench.Sweep(bench.Inverted, SweepAxis.Guidance(2, 7.5), SweepAxis.Word(bench.Word, 0, 1, 4));

        Assert.Equal(6, sweep.Points.Count);
        Assert.Equal([7.5, 4], sweep.Points[5].Values);
        // A factor of 1 changes nothing, others do.
        double[] likeness = [.. sweep.Points.Skip(3).Select(p => Metrics.Psnr.Of(p.Image, bench.Inverted.Reconstruction))];
        Assert.True(likeness[1] > 45, $"{likeness[1]}");
        Assert.True(likeness[0] < 40 && likeness[2] < 40, $"{likeness[0]}, {likeness[2]}");
        Assert.Equal(2, sweep.DistanceChart().Bundle.CsvText.Split('\n').Skip(1).Where(l => l.Length > 0).Select(l => l.Split(',')[0]).Distinct().Count());
    }

    [Fact]
    public async Task SdEdit_TwoStrengths_ChangesMoreWithMore()
    {
        SweepResult result = await Workbench.SdEdit(bench.Inverted, bench.Target, [0, 0.7]);

        Assert.Equal(4, result.Points.Count);
        Assert.Equal(bench.Inverted.RoundTrip, result.Points[0].Image);
        Assert.True(result.Points[1].Distance > result.Points[0].Distance);
    }

    [Fact]
    public void Trajectory_OfNullText_HasPivotAndSampling()
    {
        Assert.Equal(["inversion", "sampling"], bench.Trajectory.Grid.RowLabels);
        Assert.Equal("clean", bench.Trajectory.Grid.ColumnLabels![0]);
        // Both end in the same picture, up to what the optimisation left; both begin in the same noise.
        Assert.Equal(bench.Trajectory.Grid.Rows[0][^1]!.Image, bench.Trajectory.Grid.Rows[1][^1]!.Image);
    }

    [Fact]
    public async Task Experiment_OfTheLibrary_RunsAndIsCached()
    {
        string folder = Directory.CreateTempSubdirectory("nulltext-cache-").FullName;
        try
        {
            using Workbench own = Workbench.Open(
                options: new WorkbenchOptions
                {
                    Threads = 1,
                    StaticCharts = false,
                    CacheFolder = folder,
                }
            );
            ExperimentSettings settings = ExperimentSettings.Quick with { Steps = 3 };
            RecordingOutput output = new();
            Output.Choose(output);

            double first = (await own.Experiment("bound", own.Toy(), settings, Reconstruction.Bound))[0].Psnr;
            IReadOnlyList<IReadOnlyList<ReconstructionRecord>> ddim = await own.Experiment(
                "ddim",
                own.Toy(),
                settings,
                lab => Reconstruction.Run(lab, ReconstructionMethod.Ddim, [])
            );
            double again = (await own.Experiment("bound", own.Toy(), settings, Reconstruction.Bound))[0].Psnr;

            Assert.Equal(first, again);
            Assert.True(ddim[0][0].Psnr < first);
            Assert.Equal(2, Directory.GetFiles(folder).Length);
            Assert.Contains("network evaluations", output.Updates.Select(u => u.ToString()).First(t => t!.StartsWith("ddim")));
        }
        finally
        {
            Output.Choose(null);
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Invert_Stopped_EndsSoonAndLeavesNoTensors()
    {
        long before = LiveTensors();
        using CancellationTokenSource stop = new();
        int calls = 0;
        // Stops itself in the midst of the optimisation.
        Stopping method = new(() =>
        {
            if (++calls == 20)
                stop.Cancel();
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Workbench.Invert(bench.Toy, new InvertOptions { Steps = 8, Method = method }, stop.Token)
        );

        Assert.Equal(20, calls);
        Assert.InRange(torch.Tensor.TotalCount, 0, before);
        // The bench is free again.
        using InvertedImage next = await Workbench.Invert(bench.Toy, new InvertOptions { Steps = 2, Method = Methods.Ddim() });
        Assert.NotNull(next);
    }

    [Fact]
    public async Task Compare_StopButtonOfTheNotebook_EndsItAndFreesWhatWasMade()
    {
        using CancellationTokenSource stop = new();
        RecordingOutput output = new(stop.Token);
        Output.Choose(output);
        try
        {
            long before = LiveTensors();
            int calls = 0;
            Stopping method = new(() =>
            {
                if (++calls == 15)
                    stop.Cancel();
            });

            // The first method is done when the second is stopped.
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
                Workbench.Compare(bench.Toy.Image, bench.Toy.Caption, [Methods.Ddim(), method], new InvertOptions { Steps = 5 })
            );

            Assert.InRange(torch.Tensor.TotalCount, 0, before);
            Assert.StartsWith("comparison of 2 methods: 2 of 2: stopping", output.Updates[^1].ToString());
            Assert.Contains("stopped after", output.Updates[^1].ToString());
        }
        finally
        {
            Output.Choose(null);
        }
    }

    [Fact]
    public async Task Calls_ThenDisposed_LeaveNoTensors()
    {
        long before = LiveTensors();

        using (InvertedImage image = await Workbench.Invert(bench.Toy, new InvertOptions { Steps = 2, Method = Methods.NullText(1) }))
        {
            using EditedImage edit = await Workbench.Edit(image, bench.Target, new EditOptions { Blend = [bench.Word] });
            edit.Mask();
            await Workbench.Sweep(image, SweepAxis.Word(bench.Word, 0, 2));
            await Workbench.Trajectory(image, 2);
            await Workbench.Attention(image);
            Workbench.Latents(image.Inversion.StartLatents);
        }

        Assert.InRange(torch.Tensor.TotalCount, 0, before);
    }

    [Fact]
    public async Task Invert_InANotebook_UpdatesOneDisplay()
    {
        RecordingOutput output = new();
        Output.Choose(output);
        try
        {
            using InvertedImage image = await Workbench.Invert(bench.Toy, new InvertOptions { Steps = 3, Method = Methods.NullText(2) });

            Assert.Single(output.Shown);
            Assert.StartsWith("null-text inversion: step", output.Updates[^1].ToString());
            Assert.EndsWith(" s", output.Updates[^1].ToString());
            Assert.True(((ProgressView)output.Updates[^1]).IsLast);
        }
        finally
        {
            Output.Choose(null);
        }
    }

    [Fact]
    public async Task Plan_OfNullTextInversion_CountsWhatItTakes()
    {
        using InvertedImage image = await Workbench.Invert(bench.Toy, new InvertOptions { Steps = 3, Method = Methods.NullText(2, stopEarly: false) });

        TableView plan = await Workbench.Plan(new InvertOptions { Steps = 3 }, innerSteps: 2);

        IReadOnlyList<string> row = plan.Table.Rows[1];
        Assert.Equal(image.Inversion.EvaluationsPerImage, double.Parse(row[1], System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(image.Inversion.BackwardsPerImage, double.Parse(row[2], System.Globalization.CultureInfo.InvariantCulture));
        // A busy machine may be slow in one and quick in the other.
        Assert.InRange(
            double.Parse(row[4], System.Globalization.CultureInfo.InvariantCulture),
            image.Inversion.Elapsed.TotalSeconds / 20,
            (image.Inversion.Elapsed.TotalSeconds * 20) + 0.1
        );
        Assert.Equal((4 * 3).ToString(System.Globalization.CultureInfo.InvariantCulture), plan.Table.Rows[3][1]);
    }

    [Fact]
    public async Task Invert_FileThatIsNotThere_SaysSo() => await Assert.ThrowsAnyAsync<Exception>(async () => await Workbench.Invert("/no/such.png", "a cat"));

    [Fact]
    public void Open_NoModel_NamesTheFolder() =>
        Assert.Contains("/no/model", Assert.Throws<Weights.ModelFormatException>(() => Workbench.Open("/no/model")).Message);

    /// <summary>
    /// What is alive, without what only waits for the garbage collector. Not called after the work: a leak must not be swept
    /// away. Fewer are no leak: the finalizer may have come to what other tests left.
    /// </summary>
    private static long LiveTensors()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return torch.Tensor.TotalCount;
    }

    private sealed class Mine : IInversion
    {
        public string Name => "mine";

        public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
        {
            using InversionResult ddim = new DdimInversion().Invert(problem, progress, cancellation);
            return new InversionResult
            {
                Method = Name,
                GuidanceScale = ddim.GuidanceScale,
                StartLatents = ddim.StartLatents.clone().DetachFromDisposeScope(),
                Conditional = Diffusion.StepEmbeddings.Constant(problem.Conditional),
                Unconditional = Diffusion.StepEmbeddings.Constant(problem.Unconditional),
                EvaluationsPerImage = ddim.EvaluationsPerImage,
                Elapsed = ddim.Elapsed,
                Options = new { },
            };
        }
    }

    private sealed class Stopping(Action before) : IInversion
    {
        public string Name => "stopping";

        public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default) =>
            new NullTextInversion(NullTextOptions.Default with { StopEarly = false }).Invert(
                problem with
                {
                    Predictor = new Watched(problem.Predictor, before),
                },
                progress,
                cancellation
            );

        private sealed class Watched(Diffusion.INoisePredictor inner, Action before) : Diffusion.INoisePredictor
        {
            public torch.Tensor Predict(torch.Tensor latents, Diffusion.DiffusionStep step, Diffusion.Conditioning condition)
            {
                before();
                return inner.Predict(latents, step, condition);
            }
        }
    }
}
