using NullTextResearch.Loading;
using NullTextResearch.TestKit;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using NullTextResearch.Weights;
using Xunit;

namespace NullTextResearch.Tests.Loading;

/// <summary>Names and shapes of the published models at full size: sparse files, nothing is computed.</summary>
public sealed class OriginalLayoutTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ntr-layout-").FullName;

    public OriginalLayoutTests() => ModelFiles.WriteTokenizer(Path.Combine(_folder, "small"));

    public static TheoryData<string> Published => ["v1", "v1 older text names", "v2"];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // The numbers of parameters that the models' authors and users report.
    [Theory]
    [InlineData("v1", 686, 859_520_964, 248, 83_653_863, 196, 123_060_480)]
    [InlineData("v2", 686, 865_910_724, 248, 83_653_863, 372, 340_387_840)]
    public void Networks_FullSize_HaveThePublishedKeysShapesAndSizes(
        string which,
        int unetKeys,
        long unetParameters,
        int vaeKeys,
        long vaeParameters,
        int textKeys,
        long textParameters
    )
    {
        OriginalModel model = Model(which);
        KnownModel known = which == "v1" ? KnownModels.StableDiffusion1 : KnownModels.StableDiffusion2;
        using UNet2DConditionModel unet = new(known.UNet);
        using AutoencoderKL vae = new(known.Vae);
        using ClipTextModel text = new(known.Text);

        Same(model.UNet(), unet.Weights);
        Same(model.Vae(), vae.Weights);
        Same(model.Text(), text.Weights);
        Assert.Equal((unetKeys, unetParameters), (unet.Weights.All.Count, unet.Weights.ParameterCount));
        Assert.Equal((vaeKeys, vaeParameters), (vae.Weights.All.Count, vae.Weights.ParameterCount));
        Assert.Equal((textKeys, textParameters), (text.Weights.All.Count, text.Weights.ParameterCount));

        static void Same(IReadOnlyList<OriginalTensor> published, WeightSet ours) =>
            Assert.Equal(
                published.SelectMany(t => t.Keys.Select(key => $"{key} {string.Join('x', Stored(key, t))}")).Order(StringComparer.Ordinal),
                ours.All.Select(w => $"{w.Key} {string.Join('x', w.Dimensions)}").Order(StringComparer.Ordinal)
            );

        static IEnumerable<long> Stored(string key, OriginalTensor t) =>
            key.Contains("mid_block.attentions.0.to_", StringComparison.Ordinal) && t.Shape.Length == 4
                ? t.Shape.Take(2)
                : t.Shape.Skip(1).Prepend(t.Shape[0] / t.Keys.Count);
    }

    [Theory]
    [MemberData(nameof(Published))]
    public void SingleFile_FullSize_EveryTensorIsTakenExactlyOnce(string which)
    {
        OriginalModel model = Model(which);
        string path = Path.Combine(_folder, "full.safetensors");
        ModelFiles.WriteHollow(path, model.All());
        ModelSource source = ModelSource.Find(path, new ModelLoadOptions { Tokenizer = Path.Combine(_folder, "small") });
        using Checkpoint file = Checkpoint.Open(path);
        using UNet2DConditionModel unet = new(source.UNet);
        using AutoencoderKL vae = new(source.Vae);
        using ClipTextModel text = new(source.Text);
        Dictionary<string, string> published = model
            .All()
            .SelectMany(t => t.Keys.Select((key, part) => (key, place: $"{t.Name} {part}/{t.Keys.Count}")))
            .ToDictionary(p => p.key, p => p.place);
        Dictionary<string, string> ours = [];
        foreach ((WeightSet weights, PartSource part) in ((WeightSet[])[text.Weights, vae.Weights, unet.Weights]).Zip(source.Parts))
        {
            foreach ((string key, (KeySource place, _)) in StrictLoad.Match(weights, file, part.Keys, part.IsIgnored).Found)
                ours.Add(key, $"{place.Name} {place.Part}/{place.Parts}");
        }

        Assert.Equal(published.OrderBy(p => p.Key, StringComparer.Ordinal), ours.OrderBy(p => p.Key, StringComparer.Ordinal));
        Assert.Equal(ours.Count, ours.Values.Distinct().Count());
    }

    // Pairs that conversion tools of others list, spelled out: neither side's program made them.
    [Theory]
    [InlineData("down_blocks.0.resnets.0.norm1.weight", "model.diffusion_model.input_blocks.1.0.in_layers.0.weight")]
    [InlineData("down_blocks.0.resnets.0.time_emb_proj.bias", "model.diffusion_model.input_blocks.1.0.emb_layers.1.bias")]
    [InlineData("down_blocks.0.downsamplers.0.conv.weight", "model.diffusion_model.input_blocks.3.0.op.weight")]
    [InlineData("down_blocks.1.resnets.0.conv_shortcut.weight", "model.diffusion_model.input_blocks.4.0.skip_connection.weight")]
    [InlineData("down_blocks.2.attentions.1.proj_out.weight", "model.diffusion_model.input_blocks.8.1.proj_out.weight")]
    [InlineData("down_blocks.3.resnets.1.conv2.bias", "model.diffusion_model.input_blocks.11.0.out_layers.3.bias")]
    [InlineData("mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight", "model.diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_k.weight")]
    [InlineData("mid_block.resnets.1.norm2.weight", "model.diffusion_model.middle_block.2.out_layers.0.weight")]
    [InlineData("up_blocks.0.upsamplers.0.conv.weight", "model.diffusion_model.output_blocks.2.1.conv.weight")]
    [InlineData("up_blocks.1.upsamplers.0.conv.weight", "model.diffusion_model.output_blocks.5.2.conv.weight")]
    [InlineData("up_blocks.2.upsamplers.0.conv.bias", "model.diffusion_model.output_blocks.8.2.conv.bias")]
    [InlineData(
        "up_blocks.3.attentions.2.transformer_blocks.0.ff.net.0.proj.weight",
        "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.ff.net.0.proj.weight"
    )]
    [InlineData("conv_norm_out.weight", "model.diffusion_model.out.0.weight")]
    public void UNetKeys_StableDiffusion_AreThePublishedPairs(string ours, string theirs) =>
        Assert.Equal(theirs, Assert.Single(SingleFileKeys.UNet(UNetConfig.StableDiffusion1, ema: false)(ours)).Name);

    [Theory]
    [InlineData("decoder.up_blocks.0.upsamplers.0.conv.bias", "first_stage_model.decoder.up.3.upsample.conv.bias")]
    [InlineData("decoder.up_blocks.3.resnets.2.norm2.bias", "first_stage_model.decoder.up.0.block.2.norm2.bias")]
    [InlineData("decoder.up_blocks.2.resnets.0.conv_shortcut.weight", "first_stage_model.decoder.up.1.block.0.nin_shortcut.weight")]
    [InlineData("encoder.down_blocks.2.resnets.0.conv_shortcut.weight", "first_stage_model.encoder.down.2.block.0.nin_shortcut.weight")]
    [InlineData("encoder.mid_block.attentions.0.to_out.0.weight", "first_stage_model.encoder.mid.attn_1.proj_out.weight")]
    [InlineData("decoder.mid_block.resnets.1.conv1.weight", "first_stage_model.decoder.mid.block_2.conv1.weight")]
    [InlineData("encoder.conv_norm_out.bias", "first_stage_model.encoder.norm_out.bias")]
    [InlineData("post_quant_conv.weight", "first_stage_model.post_quant_conv.weight")]
    public void VaeKeys_StableDiffusion_AreThePublishedPairs(string ours, string theirs) =>
        Assert.Equal(theirs, Assert.Single(SingleFileKeys.Vae(VaeConfig.StableDiffusion1)(ours)).Name);

    [Fact]
    public void EmaKeys_LoseTheirDots() =>
        Assert.Equal(
            "model_ema.diffusion_modelinput_blocks10in_layers0weight",
            Assert.Single(SingleFileKeys.UNet(UNetConfig.StableDiffusion1, ema: true)("down_blocks.0.resnets.0.norm1.weight")).Name
        );

    [Fact]
    public void Find_FullSizeV1File_IsStableDiffusion1()
    {
        ModelSource source = Hollow(OriginalModel.V1, "v1-5-pruned-emaonly.safetensors");
        Assert.Equivalent(KnownModels.StableDiffusion1.UNet, source.UNet, strict: true);
        Assert.Equivalent(KnownModels.StableDiffusion1.Vae, source.Vae, strict: true);
        Assert.Equal(KnownModels.StableDiffusion1.Text, source.Text);
        Assert.Equal(KnownModels.StableDiffusion1.Schedule, source.Schedule);
        Assert.Equal((512, "v1-5-pruned-emaonly", 1_066_235_307L, false), (source.ImageSize, source.Name, source.ParameterCount, source.PredictionIsGuessed));
    }

    [Theory]
    [InlineData("v2-1_768-ema-pruned.safetensors", true)]
    [InlineData("768-v-ema.safetensors", true)]
    [InlineData("v2-1_512-ema-pruned.safetensors", false)]
    [InlineData("512-base-ema.safetensors", false)]
    public void Find_FullSizeV2File_IsToldByItsPublishedName(string name, bool velocity)
    {
        ModelSource source = Hollow(OriginalModel.V2, name);
        KnownModel known = velocity ? KnownModels.StableDiffusion2 : KnownModels.StableDiffusion2Base;
        // Upcasting is told for both: it costs nothing where it is not needed.
        Assert.Equivalent(known.UNet with { UpcastAttention = true }, source.UNet, strict: true);
        Assert.Equivalent(known.Vae, source.Vae, strict: true);
        Assert.Equal(known.Text, source.Text);
        Assert.Equal(known.Schedule, source.Schedule);
        Assert.Equal((velocity ? 768 : 512, false), (source.ImageSize, source.PredictionIsGuessed));
    }

    [Fact]
    public void Find_FullSizeFolders_AreTheKnownModels()
    {
        foreach (
            (OriginalModel model, KnownModel known) in ((OriginalModel, KnownModel)[])
                [(OriginalModel.V1, KnownModels.StableDiffusion1), (OriginalModel.V2, KnownModels.StableDiffusion2)]
        )
        {
            string folder = Path.Combine(_folder, known.Name);
            ModelFiles.WriteFolder(folder, model, hollow: true);
            ModelSource source = ModelSource.Find(folder);
            Assert.Equivalent(known.UNet, source.UNet, strict: true);
            Assert.Equivalent(known.Vae, source.Vae, strict: true);
            Assert.Equal(known.Text, source.Text);
            Assert.Equal(known.Schedule, source.Schedule);
            Assert.Empty(source.Notes);
            using UNet2DConditionModel unet = new(source.UNet);
            using Checkpoint weights = Checkpoint.Open(source.Parts[2].Path);
            Assert.Equal(686, StrictLoad.Match(unet.Weights, weights, source.Parts[2].Keys, source.Parts[2].IsIgnored).Found.Count);
        }
    }

    [Fact]
    public void Find_V2FileThatLostItsLastTextLayer_KeepsTheOtherTwentyThree() =>
        Assert.Equal(23, Hollow(OriginalModel.V2 with { TextLayers = 23 }, "converted.safetensors").Text.Layers);

    private ModelSource Hollow(OriginalModel model, string name)
    {
        string path = Path.Combine(_folder, name);
        ModelFiles.WriteHollow(path, model.All());
        return ModelSource.Find(path, new ModelLoadOptions { Tokenizer = Path.Combine(_folder, "small") });
    }

    private static OriginalModel Model(string which) =>
        which switch
        {
            "v1" => OriginalModel.V1,
            "v1 older text names" => OriginalModel.V1 with { TextNaming = OriginalText.OlderClip },
            _ => OriginalModel.V2,
        };
}
