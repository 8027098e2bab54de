using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using NullTextResearch.Text;
using TorchSharp;
using Xunit;
using static NullTextResearch.TestKit.TensorAssert;
using static NullTextResearch.Tests.Editing.EditingLab;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Editing;

[LeavesNoTensors]
public sealed class PromptToPromptTests
{
    private const string Cat = "a cat on a mat";
    private const string Dog = "a dog on a mat";

    public static TheoryData<string> SameWordEdits => ["swap", "refine", "reweight 1", "reweight 1 after swap"];

    [Theory]
    [MemberData(nameof(SameWordEdits))]
    public void Run_SamePrompt_TargetEqualsSource(string kind)
    {
        using EditingLab lab = new();
        PromptEdit edit = kind switch
        {
            "swap" => new WordSwap(),
            "refine" => new Refinement(),
            "reweight 1" => ReWeight.Of(["cat"], [1]),
            _ => ReWeight.Of(["cat"], [1], new WordSwap()),
        };
        using EditResult result = lab.Edit(lab.Inverted(Cat), [Single(Cat, Cat, edit)]);
        using DisposeScope scope = NewDisposeScope();
        Assert.True(MaxDifference(result.Source(), result.Target()) < 1e-11);
    }

    [Fact]
    public void Run_EmptyWindows_EqualsPlainSampling()
    {
        using EditingLab lab = new();
        InversionResult inversion = lab.Inverted(Cat);
        using EditResult result = lab.Edit(inversion, [Swap(Cat, Dog, cross: 0, self: 0)]);
        using DisposeScope scope = NewDisposeScope();
        Tensor plain = Sampler.Run(lab.Predictor(FusedAttention.Instance), lab.Grid, inversion.Plan with { Conditional = lab.Embed(Dog) });
        Assert.True(MaxDifference(plain, result.Target()) < 1e-11);
        Assert.True(MaxDifference(result.Source(), result.Target()) > 1e-2);
    }

    [Theory]
    [InlineData(0.8, 0)]
    [InlineData(0, 0.8)]
    [InlineData(0.8, 0.4)]
    public void Run_Windows_ChangeTheTargetAndNeverTheSource(double cross, double self)
    {
        using EditingLab lab = new();
        InversionResult inversion = lab.Inverted(Cat);
        using EditResult result = lab.Edit(inversion, [Swap(Cat, Dog, cross, self)]);
        using EditResult free = lab.Edit(inversion, [Swap(Cat, Dog, 0, 0)]);
        using DisposeScope scope = NewDisposeScope();
        Tensor plain = Sampler.Run(lab.Predictor(FusedAttention.Instance), lab.Grid, inversion.Plan);
        Assert.True(MaxDifference(plain, result.Source()) < 1e-11);
        Assert.True(MaxDifference(free.Target(), result.Target()) > 1e-4);
    }

    [Fact]
    public void Run_EachLayer_IsReached()
    {
        using EditingLab lab = new();
        using EditResult result = lab.Edit(lab.Inverted(Cat), [Swap(Cat, Dog)]);
        Assert.Equal(lab.UNet.Sites.Count, result.AttentionLayers);
        Assert.Equal(4 * lab.Grid.Steps, result.Evaluations);
    }

    [Fact]
    public void Run_PredictorIgnoresProcessor_IsRefused()
    {
        using EditingLab lab = new();
        InversionResult inversion = lab.Inverted(Cat);
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() =>
            lab.Edit(inversion, [Swap(Cat, Dog)], predictor: _ => lab.Predictor(FusedAttention.Instance))
        );
        Assert.Contains("editor's hook", error.Message);
    }

    [Fact]
    public void Run_SourceAlone_IsBitEqualToReconstructionAndEditsTheSame()
    {
        using EditingLab lab = new(dtype: ScalarType.Float32);
        InversionResult inversion = lab.Inverted(Cat);
        ImageEdit edit = Swap(
            Cat,
            Dog,
            blend: new LocalBlend
            {
                SourceWords = ["cat"],
                TargetWords = ["dog"],
                Threshold = 0.6,
            }
        );
        using EditResult batched = lab.Edit(inversion, [edit]);
        using EditResult alone = lab.Edit(inversion, [edit], new PromptToPromptOptions { SourceBranch = SourceBranch.Alone });
        using DisposeScope scope = NewDisposeScope();
        Tensor plain = Sampler.Run(lab.Predictor(FusedAttention.Instance), lab.Grid, inversion.Plan);
        Assert.Equal(0, MaxDifference(plain, alone.Source()));
        double range = plain.abs().max().item<float>();
        Close(batched.Latents, alone.Latents, 1e-5 * range);
        Assert.Equal(batched.Evaluations, alone.Evaluations);
    }

    [Theory]
    [InlineData(SourceBranch.Batched)]
    [InlineData(SourceBranch.Alone)]
    public void Run_SeveralImagesAndMixedTargets_EqualOneAtATime(SourceBranch branch)
    {
        using EditingLab lab = new();
        InversionResult both = lab.Inverted(Cat, "squirrel");
        PromptToPromptOptions options = new() { SourceBranch = branch };
        ImageEdit first = new()
        {
            Source = Prompt(Cat),
            Targets =
            [
                Swap(Cat, Dog).Targets[0],
                Single(Cat, "a red cat on a mat", new Refinement()).Targets[0] with
                {
                    SelfReplace = StepWindow.Until(0.8),
                    Blend = new LocalBlend
                    {
                        SourceWords = ["cat"],
                        TargetWords = ["red", "cat"],
                        Threshold = 0.5,
                    },
                },
            ],
        };
        ImageEdit second = Swap("squirrel", "lasagna", cross: 0.5);
        using EditResult together = lab.Edit(both, [first, second], options);
        using DisposeScope scope = NewDisposeScope();
        foreach ((int image, ImageEdit edit) in new[] { (0, first), (1, second) })
        {
            for (int t = 0; t < edit.Targets.Count; t++)
            {
                using InversionResult own = ImageOf(both, image);
                using EditResult one = lab.Edit(own, [edit with { Targets = [edit.Targets[t]] }], options);
                Assert.True(MaxDifference(one.Source(), together.Source(image)) < 1e-10);
                Assert.True(MaxDifference(one.Target(), together.Target(t, image)) < 1e-10, $"image {image}, target {t}");
            }
        }
    }

    [Fact]
    public void Run_LocalBlend_LatentsOutsideTheMaskEqualTheSourceExactly()
    {
        using EditingLab lab = new();
        LocalBlend blend = new()
        {
            SourceWords = ["cat"],
            TargetWords = ["dog"],
            Threshold = 0.7,
            Layers = MapSelection.CoarsestWithSide(8),
        };
        using EditResult result = lab.Edit(lab.Inverted(Cat), [Swap(Cat, Dog, 0.4, 0.2, blend)]);
        using DisposeScope scope = NewDisposeScope();
        Tensor mask = result.Masks[0][0]!.Final.narrow(0, 1, 1).expand(1, 4, 8, 8);
        int inside = mask.sum().to(ScalarType.Int32).item<int>();
        Assert.InRange(inside, 4, 4 * 63);
        Tensor difference = result.Target().sub(result.Source()).abs();
        Assert.Equal(0, difference.masked_select(mask.logical_not()).max().item<double>());
        Assert.True(difference.masked_select(mask).max().item<double>() > 1e-3);
    }

    [Fact]
    public void Run_BlendStartsAtTheEnd_ChangesNothing()
    {
        using EditingLab lab = new();
        InversionResult inversion = lab.Inverted(Cat);
        LocalBlend blend = new()
        {
            SourceWords = ["cat"],
            TargetWords = ["dog"],
            Threshold = 0.7,
            StartFraction = 1,
        };
        using EditResult blended = lab.Edit(inversion, [Swap(Cat, Dog, blend: blend)]);
        using EditResult plain = lab.Edit(inversion, [Swap(Cat, Dog)]);
        Assert.True(MaxDifference(blended.Latents, plain.Latents) < 1e-11);
    }

    [Fact]
    public void Run_KeptMaps_AreTheEditedOnesAndStayNormalised()
    {
        using EditingLab lab = new();
        PromptToPromptOptions options = new()
        {
            KeepMaps = true,
            Store = new AttentionStoreOptions { Self = true },
        };
        using EditResult result = lab.Edit(lab.Inverted(Cat), [Swap(Cat, Dog, cross: 1, self: 1)], options);
        using DisposeScope scope = NewDisposeScope();
        Assert.Equal(lab.UNet.Sites.Count, result.Maps!.Maps.Count);
        foreach (StoredMap map in result.Maps.Maps)
        {
            Assert.Equal(lab.Grid.Steps, map.Steps);
            Assert.True(MaxDifference(map.Sum.sum(-1), Constants.Full(map.Sum.sum(-1), lab.Grid.Steps)) < 1e-6);
            Assert.True(MaxDifference(map.Sum[0], map.Sum[1]) < 1e-12, map.Site.Path);
        }
    }

    [Fact]
    public void Run_SelfReplaceLimit_LeavesFinerLayersAlone()
    {
        using EditingLab lab = new();
        PromptToPromptOptions options = new()
        {
            KeepMaps = true,
            Store = new AttentionStoreOptions { Self = true, Cross = false },
            SelfReplaceMaxSide = 4,
        };
        using EditResult result = lab.Edit(lab.Inverted(Cat), [Swap(Cat, Dog, cross: 0, self: 1)], options);
        using DisposeScope scope = NewDisposeScope();
        Assert.Equal([16, 64], result.Maps!.Maps.Select(m => m.Height * m.Width).Distinct().Order());
        foreach (StoredMap map in result.Maps.Maps)
            Assert.Equal(map.Height * map.Width <= 16, MaxDifference(map.Sum[0], map.Sum[1]) < 1e-12);
    }

    [Fact]
    public void Run_ReWeight_MattersInsideTheWindowOnly()
    {
        using EditingLab lab = new();
        InversionResult inversion = lab.Inverted(Cat);
        using EditResult plain = lab.Edit(inversion, [Single(Cat, Cat, new WordSwap())]);
        using EditResult strong = lab.Edit(inversion, [Single(Cat, Cat, ReWeight.Of(["cat"], [4], new WordSwap()))]);
        ImageEdit outside = Single(Cat, Cat, ReWeight.Of(["cat"], [4], new WordSwap()));
        using EditResult closed = lab.Edit(inversion, [outside with { Targets = [outside.Targets[0] with { CrossReplace = CrossReplaceSchedule.Until(0) }] }]);
        Assert.True(MaxDifference(plain.Latents, strong.Latents) > 1e-3);
        Assert.True(MaxDifference(plain.Latents, closed.Latents) < 1e-11);
    }

    [Fact]
    public void Run_WordWindow_DiffersFromTheUniformOne()
    {
        using EditingLab lab = new();
        InversionResult inversion = lab.Inverted("a squirrel");
        ImageEdit uniform = Swap("a squirrel", "a dog", cross: 0.8);
        ImageEdit perWord = uniform with
        {
            Targets =
            [
                uniform.Targets[0] with
                {
                    CrossReplace = new CrossReplaceSchedule { Default = StepWindow.Until(0.8), Words = [new("dog", StepWindow.Never)] },
                },
            ],
        };
        using EditResult a = lab.Edit(inversion, [uniform]),
            b = lab.Edit(inversion, [perWord]);
        Assert.True(MaxDifference(a.Latents, b.Latents) > 1e-4);
    }

    [Fact]
    public void Run_WindowOfOneWordAlone_IsInjected()
    {
        using EditingLab lab = new();
        InversionResult inversion = lab.Inverted(Cat);
        ImageEdit never = Swap(Cat, Dog, cross: 0, self: 0);
        ImageEdit word = never with
        {
            Targets =
            [
                never.Targets[0] with
                {
                    CrossReplace = new CrossReplaceSchedule { Default = StepWindow.Never, Words = [new("dog", StepWindow.Always)] },
                },
            ],
        };
        using EditResult free = lab.Edit(inversion, [never]),
            injected = lab.Edit(inversion, [word]);
        Assert.True(MaxDifference(free.Latents, injected.Latents) > 1e-4);
    }

    [Fact]
    public void Run_LocalBlend_BeginsAtItsFirstStep()
    {
        using EditingLab lab = new();
        LocalBlend blend = new()
        {
            SourceWords = ["cat"],
            TargetWords = ["dog"],
            Threshold = 0.7,
            StartFraction = 0.4,
        };
        Assert.Equal(2, blend.FirstStep(lab.Grid.Steps));
        EditProblem problem = new()
        {
            Predictor = lab.Predictor,
            Grid = lab.Grid,
            Inversion = lab.Inverted(Cat),
            Edits = [Swap(Cat, Dog, 0.4, 0.2, blend)],
            TargetEmbeddings = [lab.Embed(Dog)],
        };
        List<bool> blended = [];
        // Only blending makes a pixel of the target equal to the source's in all digits.
        using EditResult result = PromptToPrompt.Run(
            problem,
            observe: (_, latents) =>
            {
                using DisposeScope scope = NewDisposeScope();
                blended.Add(latents[0].eq(latents[1]).any().item<bool>());
            }
        );
        Assert.Equal([false, false, true, true, true], blended);
    }

    [Theory]
    [InlineData(SourceBranch.Batched)]
    [InlineData(SourceBranch.Alone)]
    public void Run_DirectOffsets_MoveTheSourceOnly(SourceBranch branch)
    {
        using EditingLab lab = new();
        using DisposeScope results = NewDisposeScope();
        InversionResult inversion = lab.Inverted(Cat, "squirrel");
        using Tensor offsets = zeros([lab.Grid.Steps, 2, 4, 8, 8], ScalarType.Float64);
        // At the last step only: nothing later can carry it over to the target.
        offsets[lab.Grid.Steps - 1, 0] = 0.25;
        offsets[lab.Grid.Steps - 1, 1] = -0.5;
        InversionResult direct = new()
        {
            Method = "direct",
            GuidanceScale = inversion.GuidanceScale,
            StartLatents = inversion.StartLatents,
            Conditional = inversion.Conditional,
            Unconditional = inversion.Unconditional,
            Replay = new OffsetReplay(offsets),
            EvaluationsPerImage = 0,
            Elapsed = TimeSpan.Zero,
            Options = "none",
        };
        PromptToPromptOptions options = new() { SourceBranch = branch };
        ImageEdit[] edits = [Swap(Cat, Dog), Swap("squirrel", "lasagna")];
        using EditResult plain = lab.Edit(inversion, edits, options),
            moved = lab.Edit(direct, edits, options);
        using DisposeScope scope = NewDisposeScope();
        foreach ((int image, double offset) in new[] { (0, 0.25), (1, -0.5) })
        {
            Assert.Equal(0, MaxDifference(plain.Target(0, image), moved.Target(0, image)));
            Assert.True(MaxDifference(plain.Source(image).Plus(offset), moved.Source(image)) < 1e-12);
        }
    }

    [Fact]
    public void Run_GuidanceOne_HasNoUnconditionalRows()
    {
        using EditingLab lab = new();
        InversionResult inversion = lab.Inverted(Cat);
        EditProblem problem = new()
        {
            Predictor = lab.Predictor,
            Grid = lab.Grid,
            Inversion = inversion,
            Edits = [Swap(Cat, Cat)],
            TargetEmbeddings = [lab.Embed(Cat)],
            GuidanceScale = 1,
        };
        using EditResult result = PromptToPrompt.Run(problem);
        using DisposeScope scope = NewDisposeScope();
        Assert.Equal(2 * lab.Grid.Steps, result.Evaluations);
        Assert.True(MaxDifference(result.Source(), result.Target()) < 1e-11);
    }

    [Fact]
    public void Run_BadInput_NamesTheThing()
    {
        using EditingLab lab = new();
        InversionResult inversion = lab.Inverted(Cat);
        Assert.Throws<WordCountMismatchException>(() => lab.Edit(inversion, [Swap(Cat, "a red dog on a mat")]));
        Assert.Throws<WordNotInPromptException>(() =>
            lab.Edit(inversion, [Swap(Cat, Dog, blend: new LocalBlend { SourceWords = ["dog"], TargetWords = ["dog"] })])
        );
        Assert.Contains(
            "threshold 2",
            Assert
                .Throws<ArgumentException>(() =>
                    lab.Edit(
                        inversion,
                        [
                            Swap(
                                Cat,
                                Dog,
                                blend: new LocalBlend
                                {
                                    SourceWords = ["cat"],
                                    TargetWords = ["dog"],
                                    Threshold = 2,
                                }
                            ),
                        ]
                    )
                )
                .Message
        );
        Assert.Contains("1 images", Assert.Throws<ArgumentException>(() => lab.Edit(inversion, [Swap(Cat, Dog), Swap(Cat, Dog)])).Message);
        Assert.Throws<ArgumentException>(() => lab.Edit(inversion, [new ImageEdit { Source = Prompt(Cat), Targets = [] }]));
    }

    [Theory]
    [InlineData(SourceBranch.Batched)]
    [InlineData(SourceBranch.Alone)]
    public void Run_FinishedOrCancelled_LeavesNoTensors(SourceBranch branch)
    {
        using EditingLab lab = new();
        InversionResult inversion = lab.Inverted(Cat);
        ImageEdit edit = Swap(Cat, Dog, blend: new LocalBlend { SourceWords = ["cat"], TargetWords = ["dog"] });
        PromptToPromptOptions options = new() { SourceBranch = branch, KeepMaps = true };
        EditProblem problem = new()
        {
            Predictor = lab.Predictor,
            Grid = lab.Grid,
            Inversion = inversion,
            Edits = [edit],
            TargetEmbeddings = [lab.Embed(Dog)],
        };
        PromptToPrompt.Run(problem, options).Dispose();
        long before = Live;
        PromptToPrompt.Run(problem, options).Dispose();
        Assert.Equal(before, Live);
        using CancellationTokenSource cancel = new();
        Assert.Throws<OperationCanceledException>(() =>
            PromptToPrompt.Run(
                problem,
                options,
                observe: (step, _) =>
                {
                    if (step.Step == 2)
                        cancel.Cancel();
                },
                cancellation: cancel.Token
            )
        );
        Assert.Equal(before, Live);
    }

    private static ImageEdit Single(string source, string target, PromptEdit edit) =>
        new() { Source = Prompt(source), Targets = [new EditTarget { Prompt = Prompt(target), Edit = edit }] };

    private static InversionResult ImageOf(InversionResult all, int image)
    {
        using DisposeScope scope = NewDisposeScope();
        return new InversionResult
        {
            Method = all.Method,
            GuidanceScale = all.GuidanceScale,
            StartLatents = all.StartLatents.narrow(0, image, 1).clone().DetachFromDisposeScope(),
            Conditional = all.Conditional.Image(image),
            Unconditional = all.Unconditional.Image(image),
            EvaluationsPerImage = 0,
            Elapsed = TimeSpan.Zero,
            Options = "none",
        };
    }
}
