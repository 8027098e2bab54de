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

/// <summary>What every editor of the catalogue obeys.</summary>
[LeavesNoTensors]
public sealed class EditorLawsTests
{
    private const string Cat = "a cat on a mat",
        Dog = "a dog on a mat";

    // Plug-and-play's source runs with the empty prompt, InfEdit's without guidance, and h-Edit takes less of the source prompt away than it adds of the
    // target prompt: an edit to the image's own prompt is an edit too.
    private static readonly string[] ChangesUnderTheSamePrompt = [PlugAndPlayOptions.EditorId, InfEditOptions.EditorId, HEditOptions.EditorId];

    public static TheoryData<string> Every => [.. EditorCatalogue.All.Select(e => e.Id)];

    [Fact]
    public void Editors_AllOfTheLibrary_AreListed()
    {
        IEnumerable<Type> known = typeof(EditorOptions)
            .Assembly.GetExportedTypes()
            .Where(t => t is { IsAbstract: false } && t.IsAssignableTo(typeof(EditorOptions)));
        Assert.Equal(known.OrderBy(t => t.Name), EditorCatalogue.All.Select(e => e.Default.GetType()).OrderBy(t => t.Name));
        Assert.All(EditorCatalogue.All, e => Assert.Equal(e.Id, e.Default.Id));
        Assert.Contains("masactrl", Assert.Throws<ArgumentException>(() => EditorCatalogue.Find("masa")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Edit_Finished_ChangesTheTargetAndLeavesNoTensors(string id)
    {
        using EditingLab lab = new();
        using Walked walked = new(lab, Cat);
        EditorOptions editor = EditorCatalogue.Find(id).Default;
        walked.Edit(editor, Dog).Dispose();
        long before = Live;
        using (EditResult result = walked.Edit(editor, Dog))
        using (NewDisposeScope())
        {
            // Three editors change latents or prompts alone.
            Assert.Equal(id is "infedit" or "diffedit" or "interpolation" ? 0 : lab.UNet.Sites.Count, result.AttentionLayers);
            Assert.True(MaxDifference(result.Source(), result.Target()) > 1e-4);
            Assert.True(result.Latents.isfinite().all().item<bool>());
            Assert.Equal(editor, result.Options);
        }
        Assert.Equal(before, Live);
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Edit_SamePrompt_ChangesNothing(string id)
    {
        if (ChangesUnderTheSamePrompt.Contains(id))
            return;
        using EditingLab lab = new();
        using DisposeScope results = NewDisposeScope();
        using Walked walked = new(lab, Cat);
        using EditResult result = walked.Edit(EditorCatalogue.Find(id).Default, Cat);
        Assert.True(MaxDifference(result.Source(), result.Target()) < 1e-11);
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Edit_TwoTargets_EqualsEachAlone(string id)
    {
        using EditingLab lab = new();
        using DisposeScope results = NewDisposeScope();
        using Walked walked = new(lab, Cat);
        EditorOptions editor = EditorCatalogue.Find(id).Default;
        using EditResult both = walked.Edit(editor, Dog, "a red cat on a mat"),
            first = walked.Edit(editor, Dog),
            second = walked.Edit(editor, "a red cat on a mat");
        Assert.True(MaxDifference(first.Target(), both.Target(0)) < 1e-10);
        Assert.True(MaxDifference(second.Target(), both.Target(1)) < 1e-10);
        Assert.True(MaxDifference(first.Source(), both.Source()) < 1e-10);
    }

    /// <summary>Whatever a network takes beside tokens reaches it, for every row, in every editor.</summary>
    [Theory]
    [MemberData(nameof(Every))]
    public void Edit_ConditionInParts_EqualsTheirSum(string id)
    {
        using EditingLab lab = new();
        using DisposeScope results = NewDisposeScope();
        using Walked whole = new(lab, Cat),
            split = new(lab, Cat, isSplit: true);
        EditorOptions editor = EditorCatalogue.Find(id).Default;
        using EditResult expected = whole.Edit(editor, Dog, "a red cat on a mat"),
            result = split.Edit(editor, Dog, "a red cat on a mat");
        Close(expected.Latents, result.Latents, 1e-9);
    }

    /// <summary>Also where an editor calls the network many times before its first step, or within one.</summary>
    [Theory]
    [MemberData(nameof(Every))]
    public void Edit_CancelledInAnyCall_StopsBeforeTheNextAndLeavesNoTensors(string id)
    {
        using EditingLab lab = new();
        using Walked walked = new(lab, Cat);
        EditorOptions editor = EditorCatalogue.Find(id).Default;
        int all = 0;
        walked.Edit(editor, [Dog], () => all++, CancellationToken.None).Dispose();
        Assert.True(all >= lab.Grid.Steps, $"{all} calls");
        long before = Live;
        for (int last = 1; last < all; last++)
        {
            using CancellationTokenSource stop = new();
            int calls = 0;
            Assert.Throws<OperationCanceledException>(() =>
                walked.Edit(
                    editor,
                    [Dog],
                    () =>
                    {
                        if (++calls == last)
                            stop.Cancel();
                    },
                    stop.Token
                )
            );
            Assert.Equal(last, calls);
            Assert.Equal(before, Live);
        }
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Edit_Counted_CostsWhatTheCatalogueSays(string id)
    {
        EditorMethod editor = EditorCatalogue.Find(id);
        Assert.Contains("T", editor.CostFormula, StringComparison.Ordinal);
        foreach (int steps in (int[])[5, 10])
        {
            using EditingLab lab = new(steps);
            using Walked walked = new(lab, Cat);
            using EditResult result = walked.Edit(editor.Default, Dog);
            Assert.Equal(editor.Cost(steps), new MethodCost(result.Evaluations, result.Backwards));
        }
    }

    /// <summary>Also where the prediction only decides a mask.</summary>
    [Theory]
    [MemberData(nameof(Every))]
    public void Edit_PredictionNotANumber_SaysWhichStep_AndLeavesNoTensors(string id)
    {
        using EditingLab lab = new();
        using Walked walked = new(lab, Cat);
        EditorOptions editor = EditorCatalogue.Find(id).Default;
        int all = 0;
        walked.Edit(editor, [Dog], () => all++, CancellationToken.None).Dispose();
        long before = Live;
        foreach (int bad in (int[])[1, (all + 1) / 2, all])
        {
            int calls = 0;
            NotFiniteException error = Assert.Throws<NotFiniteException>(() =>
                walked.Edit(editor, [Dog], network => new SpoilingPredictor(network, () => ++calls == bad, image: 0), CancellationToken.None)
            );
            Assert.Equal(bad, calls);
            Assert.Contains($"step {error.Step} (timestep {error.Timestep})", error.Message, StringComparison.Ordinal);
            Assert.Equal(before, Live);
        }
    }

    [Fact]
    public void PlugAndPlay_InversionWithoutPivot_IsRefusedWithTheReason()
    {
        using EditingLab lab = new();
        using Walked walked = new(lab, Cat, keepsPivot: false);
        string message = Assert.Throws<ArgumentException>(() => walked.Edit(new PlugAndPlayOptions(), Dog)).Message;
        Assert.Contains("pivot", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1.5, 0.5)]
    [InlineData(0.5, -0.1)]
    [InlineData(double.NaN, 0.5)]
    public void PlugAndPlay_ShareOutOfRange_IsRefused(double features, double attention)
    {
        using EditingLab lab = new();
        using Walked walked = new(lab, Cat);
        Assert.Throws<ArgumentException>(() => walked.Edit(new PlugAndPlayOptions { Features = features, Attention = attention }, Dog));
    }

    [Fact]
    public void PlugAndPlay_NothingInjected_IsPlainSampling()
    {
        using EditingLab lab = new();
        using DisposeScope results = NewDisposeScope();
        using Walked walked = new(lab, Cat);
        using EditResult plain = walked.Edit(new PlugAndPlayOptions { Features = 0, Attention = 0 }, Dog),
            none = walked.Edit(new MasaCtrlOptions { Steps = StepWindow.Never }, Dog);
        Assert.True(MaxDifference(plain.Target(), none.Target()) < 1e-10);
    }

    [Fact]
    public void MasaCtrl_MasksForTwoTargets_AreRefused()
    {
        using EditingLab lab = new();
        using Walked walked = new(lab, Cat);
        MasaCtrlOptions options = new()
        {
            Masks = new MasaCtrlMasks { SourceTokens = [2], TargetTokens = [2] },
        };
        Assert.Throws<ArgumentException>(() => walked.Edit(options, Dog, Cat));
        Assert.Throws<ArgumentException>(() => walked.Edit(new MasaCtrlOptions { Masks = new MasaCtrlMasks { SourceTokens = [2] } }, Dog));
        Assert.Throws<ArgumentException>(() => walked.Edit(new MasaCtrlOptions { FromBlock = 2 }, Dog));
    }

    /// <summary>An image of the lab with the latents of its way, as an inversion leaves them.</summary>
    private sealed class Walked : IDisposable
    {
        private readonly EditingLab _lab;
        private readonly InversionResult _inversion;
        private readonly string _source;
        private readonly bool _isSplit;

        public Walked(EditingLab lab, string source, bool keepsPivot = true, bool isSplit = false)
        {
            (_lab, _source, _isSplit) = (lab, source, isSplit);
            InversionResult start = lab.Inverted(source);
            using DisposeScope scope = NewDisposeScope();
            InversionProblem problem = new()
            {
                Predictor = Network(FusedAttention.Instance),
                Grid = lab.Grid,
                Latents = start.StartLatents.Times(0.7),
                Conditional = Told(start.Conditional.At(0).Tokens),
                Unconditional = Encode([Tokenizer.Tokenize("")]),
                GuidanceScale = start.GuidanceScale,
            };
            InversionResult inverted = new DdimInversion().Invert(problem);
            _inversion = keepsPivot
                ? inverted
                : new InversionResult
                {
                    Method = "pivotless",
                    GuidanceScale = inverted.GuidanceScale,
                    StartLatents = inverted.StartLatents,
                    Conditional = inverted.Conditional,
                    Unconditional = inverted.Unconditional,
                    EvaluationsPerImage = 0,
                    Elapsed = TimeSpan.Zero,
                    Options = "none",
                };
            if (!keepsPivot)
                inverted.Pivot!.Dispose();
        }

        public EditResult Edit(EditorOptions editor, params string[] targets) => Edit(editor, targets, () => { }, CancellationToken.None);

        public EditResult Edit(EditorOptions editor, string[] targets, Action called, CancellationToken cancellation) =>
            Edit(editor, targets, network => new WatchedPredictor(network, called), cancellation);

        public EditResult Edit(EditorOptions editor, string[] targets, Func<INoisePredictor, INoisePredictor> around, CancellationToken cancellation)
        {
            ImageEdit edit = new() { Source = Tokenizer.Tokenize(_source), Targets = [.. targets.Select(t => ImageEdit.Of(Tokenizer, _source, t).Targets[0])] };
            EditSession session = new(Encode, hook => around(Network(hook)), _lab.Grid, Tokenizer.Tokenize(""));
            return session.Edit(_inversion, [edit], editor, cancellation: cancellation);
        }

        public void Dispose() => _inversion.Dispose();

        private INoisePredictor Network(INetworkHook hook) => _isSplit ? new FoldedConditions(_lab.Predictor(hook)) : _lab.Predictor(hook);

        private Conditioning Encode(IReadOnlyList<TokenizedPrompt> prompts) => Told(_lab.Encode(prompts));

        private Conditioning Told(Tensor tokens) => _isSplit ? FoldedConditions.Split(tokens) : tokens;
    }
}
