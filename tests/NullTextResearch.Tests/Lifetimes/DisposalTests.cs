using System.Reflection;
using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Tests.Editing;
using NullTextResearch.Training;
using NullTextResearch.Vae;
using NullTextResearch.Weights;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Lifetimes;

/// <summary>What is disposed says so, and is not freed twice.</summary>
public sealed class DisposalTests
{
    private static readonly Dictionary<string, Action<StableDiffusion, INoisePredictor>> Uses = new()
    {
        ["Embed"] = (model, _) => model.Embed("a"),
        ["Encode"] = (model, _) => model.Encode([new RgbImage(64, 64, new byte[3 * 64 * 64])]),
        ["Decode"] = (model, _) => model.Decode(zeros([1, 4, 16, 16])),
        ["Predictor"] = (model, _) => model.Predictor(),
        ["Predict of an earlier predictor"] = (model, earlier) => earlier.Predict(zeros([1, 4, 16, 16]), model.Grid(2).Moves[0], zeros([1, 77, 1])),
        ["Differentiate of an earlier predictor"] = (model, earlier) =>
            earlier.Differentiate(zeros([1, 4, 16, 16]), model.Grid(2).Moves[0], zeros([1, 77, 1]), p => p.sum([1L, 2, 3])),
        ["Memory"] = (model, _) => model.Memory = new MemoryOptions(),
        ["Device"] = (model, earlier) => _ = model.Device,
        ["Dtype"] = (model, earlier) => _ = model.Dtype,
        ["Text.Forward"] = (model, _) => model.Text.Forward(zeros([1, 2], ScalarType.Int64)),
        ["Text.Device"] = (model, earlier) => _ = model.Text.Device,
        ["Vae.Encode"] = (model, _) => model.Vae.Encode(zeros([1, 3, 64, 64])),
        ["Vae.Posterior"] = (model, _) => model.Vae.Posterior(zeros([1, 3, 64, 64])),
        ["Vae.Decode"] = (model, _) => model.Vae.Decode(zeros([1, 4, 16, 16])),
        ["Vae.DecodeUnscaled"] = (model, _) => model.Vae.DecodeUnscaled(zeros([1, 4, 16, 16])),
        ["VaeTiling"] = (model, _) => new VaeTiling(model.Vae, 8, 4).Decode(zeros([1, 4, 16, 16])),
        ["UNet.Forward"] = (model, _) =>
            model.UNet.Forward(zeros([1, 4, 16, 16]), zeros([1], ScalarType.Int64), zeros([1, 77, model.UNet.Config.CrossAttentionDim])),
        ["UNet.Dtype"] = (model, earlier) => _ = model.UNet.Dtype,
        ["Weights.MoveTo"] = (model, _) => model.UNet.Weights.MoveTo(CPU, ScalarType.Float64),
        ["Weights.Initialise"] = (model, _) => model.Text.Weights.Initialise(1, CPU, ScalarType.Float32),
        ["Weight.Value"] = (model, earlier) => _ = model.Vae.Weights.All[0].Value,
    };

    public static TheoryData<string> UsesOfAModel => [.. Uses.Keys];

    [Theory]
    [MemberData(nameof(UsesOfAModel))]
    public void Use_AfterTheModelsDispose_IsObjectDisposed(string use)
    {
        using DisposeScope scope = NewDisposeScope();
        StableDiffusion model = StableDiffusion.LoadMini();
        INoisePredictor earlier = model.Predictor();
        model.Dispose();
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Uses[use](model, earlier));
    }

    [Fact]
    public void Dispose_OfOneNetwork_LeavesTheOthers()
    {
        using DisposeScope scope = NewDisposeScope();
        using StableDiffusion model = StableDiffusion.LoadMini();
        model.Vae.Dispose();
        Assert.Equal("AutoencoderKL", Assert.Throws<ObjectDisposedException>(() => model.Decode(zeros([1, 4, 16, 16]))).ObjectName);
        Assert.True(model.Embed("a").Tokens.isfinite().all().item<bool>());
    }

    [Fact]
    public void Dispose_OfTheClassifier_IsObjectDisposed()
    {
        using DisposeScope scope = NewDisposeScope();
        SceneClassifier classifier = SceneClassifier.Load(StableDiffusion.MiniFolder());
        Assert.Single(classifier.Judge(zeros([1, 3, 64, 64])));
        classifier.Dispose();
        Assert.Throws<ObjectDisposedException>(() => classifier.Judge(zeros([1, 3, 64, 64])));
    }

    [Fact]
    public void Dispose_FromWithinAPass_IsRefusedAndHarmless()
    {
        using DisposeScope scope = NewDisposeScope();
        using StableDiffusion model = StableDiffusion.LoadMini();
        Tensor text = model.Embed("a").Tokens;
        INoisePredictor predictor = model.Predictor();
        Assert.Contains(
            "after the call has returned",
            Assert
                .Throws<InvalidOperationException>(() =>
                    predictor.Differentiate(
                        zeros([1, 4, 16, 16]),
                        model.Grid(2).Moves[0],
                        text,
                        prediction =>
                        {
                            model.Dispose();
                            return prediction.mean([1L, 2, 3]);
                        }
                    )
                )
                .Message,
            StringComparison.Ordinal
        );
        Assert.True(predictor.Predict(zeros([1, 4, 16, 16]), model.Grid(2).Moves[0], text).isfinite().all().item<bool>());
        Assert.Single(model.Decode(zeros([1, 4, 16, 16])));
    }

    [Fact]
    public void Load_AfterAFailedLoad_FillsTheNetworkAllTheSame()
    {
        using WeightSet weights = new("net");
        weights.Root.Declare("a", [2], WeightInit.FanIn);
        Assert.Throws<NotSupportedException>(() => weights.Fill(_ => throw new NotSupportedException()));
        weights.Clear();
        weights.Initialise(1, CPU, ScalarType.Float32);
        Assert.True(weights.All[0].HasValue);
        weights.Dispose();
        Assert.Throws<ObjectDisposedException>(() => weights.Initialise(1, CPU, ScalarType.Float32));
        // Freeing what is gone is no fault.
        weights.Clear();
        weights.Dispose();
    }

    /// <summary>Everything that owns tensors and shows them, by the types of its properties: a new one cannot be forgotten.</summary>
    [Theory]
    [InlineData(typeof(InversionResult), 6)]
    [InlineData(typeof(EditResult), 3)]
    [InlineData(typeof(SdEditResult), 1)]
    [InlineData(typeof(StepEmbeddings), 1)]
    [InlineData(typeof(PivotTrajectory), 2)]
    [InlineData(typeof(BlendMask), 3)]
    [InlineData(typeof(AttentionStore), 1)]
    public void Properties_AfterDispose_AreObjectDisposed(Type type, int count)
    {
        using DisposeScope scope = NewDisposeScope();
        using EditingLab lab = new(steps: 2);
        IDisposable owner = Make(type, lab);
        PropertyInfo[] properties = [.. type.GetProperties().Where(p => p.GetIndexParameters().Length == 0 && ShowsTensors(p.PropertyType))];
        Assert.Equal(count, properties.Length);
        Assert.All(properties, p => p.GetValue(owner));
        owner.Dispose();
        owner.Dispose();
        Assert.All(properties, p => Assert.IsType<ObjectDisposedException>(Assert.Throws<TargetInvocationException>(() => p.GetValue(owner)).InnerException));
    }

    [Fact]
    public void Methods_OfResultsAfterDispose_AreObjectDisposed()
    {
        using DisposeScope scope = NewDisposeScope();
        using EditingLab lab = new(steps: 2);
        InversionResult inversion = lab.Inverted("a cat");
        EditResult edit = lab.Edit(inversion, [EditingLab.Swap("a cat", "a dog")], new PromptToPromptOptions { KeepMaps = true });
        PivotTrajectory pivot = new([zeros([1, 4, 8, 8])]);
        StepEmbeddings embeddings = inversion.Conditional;
        AttentionStore maps = edit.Maps!;
        foreach (IDisposable owner in (IDisposable[])[edit, inversion, pivot])
            owner.Dispose();
        Action[] uses =
        [
            () => edit.Source(),
            () => edit.Target(),
            () => maps.AverageMaps(),
            () => _ = inversion.Plan,
            () => embeddings.At(0),
            () => embeddings.Image(0),
            () => _ = embeddings.Images,
            () => _ = pivot[0],
            () => pivot.Copy(),
            () => pivot.Image(0),
            () => pivot.TargetOf(lab.Grid.Moves[^1]),
            () => lab.Edit(inversion, [EditingLab.Swap("a cat", "a dog")]),
        ];
        Assert.All(uses, use => Assert.Throws<ObjectDisposedException>(use));
    }

    private static bool ShowsTensors(Type type) =>
        type == typeof(Tensor)
        || typeof(IDisposable).IsAssignableFrom(type)
        || (type.IsGenericType && type.GetGenericArguments().Any(a => ShowsTensors(a) || a == typeof(StoredMap)));

    private static IDisposable Make(Type type, EditingLab lab)
    {
        if (type == typeof(InversionResult))
            return lab.Inverted("a cat");
        if (type == typeof(SdEditResult))
            return new SdEditResult
            {
                Latents = zeros(1),
                Moves = 1,
                Evaluations = 1,
                Elapsed = default,
                Options = new SdEditOptions(),
            };
        if (type == typeof(StepEmbeddings))
            return StepEmbeddings.Constant(zeros(1, 2, 3));
        if (type == typeof(PivotTrajectory))
            return new PivotTrajectory([zeros([1, 4, 8, 8])]);
        if (type == typeof(BlendMask))
            return new BlendMask(zeros(1), null, zeros(1));
        if (type == typeof(AttentionStore))
            return new AttentionStore();
        return lab.Edit(lab.Inverted("a cat"), [EditingLab.Swap("a cat", "a dog")], new PromptToPromptOptions { KeepMaps = true });
    }
}
