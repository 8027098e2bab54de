using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using NullTextResearch.Weights;
using TorchSharp;
using Xunit;
using static NullTextResearch.TestKit.TensorAssert;
using static NullTextResearch.Tests.Editing.EditingLab;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Editing;

/// <summary>Latents of any shape: sides that differ, and that halve unevenly.</summary>
[LeavesNoTensors]
public sealed class SizesTests
{
    private const string Cat = "a cat on a mat",
        Dog = "a dog on a mat";

    /// <summary>
    /// Exchanging rows and columns of latents and of every kernel exchanges those of the result: nothing in the network takes one for the other.
    /// </summary>
    [Theory]
    [InlineData(5, 9)]
    [InlineData(1, 7)]
    [InlineData(16, 8)]
    [InlineData(13, 13)]
    public void UNet_TransposedKernels_TransposeThePrediction(int height, int width)
    {
        using EditingLab lab = new(levels: 4);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Tensor latents = randn([1, 4, height, width], dtype: ScalarType.Float64, generator: new Generator(3));
        Tensor text = randn([1, Context, 16], dtype: ScalarType.Float64, generator: new Generator(4)),
            time = tensor((long[])[321]);
        List<(int Halvings, int Height, int Width)> seen = [];
        Tensor plain = lab.UNet.Forward(latents, time, text, new Watcher(call => seen.Add((call.Site.Halvings, call.Height, call.Width))));
        Assert.Equal(latents.shape, plain.shape);
        Assert.Equal(lab.UNet.Sites.Count, seen.Count);
        Assert.All(seen, s => Assert.Equal((Halved(height, s.Halvings), Halved(width, s.Halvings)), (s.Height, s.Width)));
        Transpose(lab.UNet.Weights);
        Tensor turned = lab.UNet.Forward(latents.transpose(2, 3).contiguous(), time, text);
        Assert.True(plain.std().item<double>() > 1e-3);
        Close(plain.transpose(2, 3), turned, 1e-10);
    }

    [Theory]
    [InlineData(40, 24)]
    [InlineData(8, 72)]
    public void Vae_TransposedKernels_TransposeLatentsAndImage(int height, int width)
    {
        using AutoencoderKL vae = new(
            new VaeConfig
            {
                BlockOutChannels = [8, 8, 8, 8],
                LayersPerBlock = 1,
                NormNumGroups = 4,
            }
        );
        vae.Weights.Initialise(5, CPU, ScalarType.Float64);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Tensor pixels = rand([1, 3, height, width], dtype: ScalarType.Float64, generator: new Generator(6)).Times(2).Plus(-1);
        Tensor latents = vae.Encode(pixels),
            image = vae.Decode(latents);
        Assert.Equal([1, 4, height / 8, width / 8], latents.shape);
        Assert.Equal(pixels.shape, image.shape);
        Transpose(vae.Weights);
        Close(latents.transpose(2, 3), vae.Encode(pixels.transpose(2, 3).contiguous()), 1e-10);
        Close(image.transpose(2, 3), vae.Decode(latents.transpose(2, 3).contiguous()), 1e-10);
    }

    [Fact]
    public void Gradient_InSegments_EqualsTheRecordedOneAtSidesThatHalveUnevenly()
    {
        using EditingLab lab = new(levels: 4);
        using DisposeScope scope = NewDisposeScope();
        Tensor latents = randn([1, 4, 5, 9], dtype: ScalarType.Float64, generator: new Generator(3));
        Tensor text = randn([1, Context, 16], dtype: ScalarType.Float64, generator: new Generator(4));
        PredictionGradient At(bool checkpointing) =>
            new UNetNoisePredictor(lab.UNet, null, new MemoryOptions { Checkpointing = checkpointing }).Differentiate(
                latents,
                lab.Grid.Moves[2],
                text,
                noise => noise.Squared().mean([1L, 2, 3])
            );
        PredictionGradient plain = At(false),
            segments = At(true);
        Assert.True(plain.Tokens!.norm().item<double>() > 1e-6);
        Close(plain.Tokens!, segments.Tokens!, 1e-12);
    }

    /// <summary>Tiles of 8 latents on an image of 6 x 20: several along one side, one along the other.</summary>
    [Fact]
    public void Vae_TilesAlongOneSide_TransposeWithTheKernels()
    {
        using AutoencoderKL vae = new(
            new VaeConfig
            {
                BlockOutChannels = [8, 8, 8, 8],
                LayersPerBlock = 1,
                NormNumGroups = 4,
            }
        );
        vae.Weights.Initialise(5, CPU, ScalarType.Float64);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        VaeTiling tiles = new(vae, 8, 4);
        Tensor latents = randn([1, 4, 6, 20], dtype: ScalarType.Float64, generator: new Generator(7));
        Tensor image = tiles.Decode(latents),
            again = tiles.Encode(image);
        Assert.Equal([1, 3, 48, 160], image.shape);
        Assert.Equal(latents.shape, again.shape);
        Assert.True(MaxDifference(image, vae.Decode(latents)) > 1e-6, "one tile did it, so that this test would say nothing");
        Transpose(vae.Weights);
        Close(image.transpose(2, 3), tiles.Decode(latents.transpose(2, 3).contiguous()), 1e-10);
        Close(again.transpose(2, 3), tiles.Encode(image.transpose(2, 3).contiguous()), 1e-10);
    }

    /// <summary>Sizes are of Stable Diffusion 1 (latents of 64 x 64), 2 (96 x 96) and a small model (16 x 16).</summary>
    [Theory]
    [InlineData(64, "32,16,8")]
    [InlineData(96, "48,24,12")]
    [InlineData(16, "16,8,4,2")]
    public void Sites_TakePartByTheirPlaceInTheModel(int latents, string sides)
    {
        using UNet2DConditionModel unet = new(
            UNetConfig.StableDiffusion1 with
            {
                SampleSize = latents,
                DownHasAttention = [true, true, true, true],
                UpHasAttention = [true, true, true, true],
            }
        );
        Assert.Equal(sides.Split(',').Select(int.Parse), unet.Sites.Where(s => s.TakesPart(null)).Select(s => s.OwnSide).Distinct().OrderDescending());
        // The image's size does not matter: the same layers at 8 x 8 latents and at 128 x 128.
        using AttentionStore store = new();
        foreach (AttentionSite site in unet.Sites.Where(s => s.Kind == AttentionKind.Cross))
        {
            int small = Halved(8, site.Halvings),
                large = Halved(128, site.Halvings);
            Assert.Equal(
                store.Wants(new AttentionCall(site, 0, small, small, BatchLayout.Sources(1))),
                store.Wants(new AttentionCall(site, 0, large, large, BatchLayout.Sources(1)))
            );
        }
    }

    [Fact]
    public void Default_AnyImageSize_SelectsOneResolutionOfTheSameLayers()
    {
        using UNet2DConditionModel unet = new(UNetConfig.StableDiffusion1);
        using DisposeScope scope = NewDisposeScope();
        foreach ((int height, int width) in ((int, int)[])[(64, 64), (56, 80), (33, 127), (128, 128), (8, 8)])
        {
            StoredMap[] maps =
            [
                .. unet
                    .Sites.Where(s => s.Kind == AttentionKind.Cross)
                    .Select(s => new StoredMap(s, Halved(height, s.Halvings), Halved(width, s.Halvings), empty(0), 1)),
            ];
            IReadOnlyList<StoredMap> chosen = MapSelection.Default.From(maps);
            Assert.Equal((5, Halved(height, 2), Halved(width, 2)), (chosen.Count, chosen[0].Height, chosen[0].Width));
            Assert.Equal(MapSelection.PublishedSlices.From([.. maps.Where(m => m.Site.TakesPart(null))]), chosen);
        }
    }

    [Theory]
    [InlineData(5, 9)]
    [InlineData(12, 6)]
    public void Edit_LocalBlend_ChangesOnlyInsideAMaskOfTheLatentsShape(int height, int width)
    {
        using EditingLab lab = new(height: height, width: width, levels: 3);
        using DisposeScope scope = NewDisposeScope();
        InversionResult inversion = lab.Inverted(Cat);
        ImageEdit edit = Swap(
            Cat,
            Dog,
            blend: new LocalBlend
            {
                SourceWords = ["cat"],
                TargetWords = ["dog"],
                Threshold = 0.9,
                StartFraction = 0,
            }
        );
        using EditResult result = lab.Edit(inversion, [edit], new PromptToPromptOptions { KeepMaps = true });
        Assert.Equal([2, 4, height, width], result.Latents.shape);
        Tensor source = result.Latents.narrow(0, 0, 1),
            target = result.Latents.narrow(0, 1, 1);
        Close(Sampler.Run(lab.Predictor(FusedAttention.Instance), lab.Grid, inversion.Plan), source, 1e-10);
        using BlendMask mask = edit.Targets[0].Blend!.Mask(result.Maps!.Maps, edit.Source, 0, edit.Targets[0].Prompt, 1, height, width);
        Assert.Equal([2, 1, height, width], mask.Final.shape);
        Tensor changed = target.ne(source).any(1, keepdim: true);
        Assert.True(changed.any().item<bool>());
        Assert.False(mask.Final.narrow(0, 1, 1).all().item<bool>());
        Assert.Equal(0, changed.logical_and(mask.Final.narrow(0, 1, 1).logical_not()).sum().item<long>());
        Assert.Equal([Halved(height, 0), Halved(width, 0), Context], result.Maps.AverageMaps().shape);
    }

    [Fact]
    public void Edit_SamePrompt_ChangesNothingAtAnyShape()
    {
        using EditingLab lab = new(height: 7, width: 11, levels: 3);
        using EditResult result = lab.Edit(lab.Inverted(Cat), [Swap(Cat, Cat, cross: 1, self: 1)]);
        using DisposeScope scope = NewDisposeScope();
        Close(result.Latents.narrow(0, 0, 1), result.Latents.narrow(0, 1, 1), 1e-12);
    }

    [Fact]
    public void NullText_AnyShape_FollowsThePivotAsBefore()
    {
        using EditingLab lab = new(height: 5, width: 9, levels: 3);
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new()
        {
            Predictor = lab.Predictor(FusedAttention.Instance),
            Grid = lab.Grid,
            Latents = randn([1, 4, 5, 9], dtype: lab.Dtype, generator: new Generator(8)),
            Conditional = lab.Encode([Prompt(Cat)]),
            Unconditional = lab.Encode([Prompt("")]),
            GuidanceScale = 3,
        };
        double Distance(IInversion method)
        {
            using InversionResult result = method.Invert(problem);
            Tensor rebuilt = result.Reconstruction ?? Sampler.Run(problem.Predictor, problem.Grid, result.Plan);
            Assert.Equal(problem.Latents.shape, rebuilt.shape);
            return MeanSquare(problem.Latents, rebuilt);
        }

        Assert.True(Distance(new NullTextInversion()) < 0.9 * Distance(new DdimInversion()));
    }

    private static int Halved(int side, int times) => times == 0 ? side : Halved((side + 1) / 2, times - 1);

    private static void Transpose(WeightSet weights)
    {
        foreach (Weight weight in weights.All.Where(w => w.Value.dim() == 4))
            weight.Value.copy_(weight.Value.transpose(2, 3).clone());
    }

    private sealed class Watcher(Action<AttentionCall> watch) : INetworkHook
    {
        public Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value)
        {
            watch(call);
            return FusedAttention.Instance.Attend(call, query, key, value);
        }
    }
}
