using NullTextResearch.Models;
using Xunit;

namespace NullTextResearch.Hub.Tests;

public sealed class PipelineFilesTests
{
    private static readonly string[] Basis =
    [
        "model_index.json",
        "scheduler/scheduler_config.json",
        "tokenizer/vocab.json",
        "tokenizer/merges.txt",
        "unet/config.json",
        "vae/config.json",
        "text_encoder/config.json",
        "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
    ];

    [Theory]
    [InlineData(null, "unet/diffusion_pytorch_model.safetensors")]
    [InlineData("fp16", "unet/diffusion_pytorch_model.fp16.safetensors")]
    [InlineData("non_ema", "unet/diffusion_pytorch_model.non_ema.safetensors")]
    public void Select_SeveralVariants_TakesOne(string? variant, string expected) =>
        Assert.Equal(
            [expected],
            Unet(
                variant,
                "unet/diffusion_pytorch_model.safetensors",
                "unet/diffusion_pytorch_model.fp16.safetensors",
                "unet/diffusion_pytorch_model.non_ema.safetensors",
                "unet/diffusion_pytorch_model.bin",
                "unet/diffusion_pytorch_model.fp16.bin"
            )
        );

    [Theory]
    [InlineData(
        null,
        "unet/diffusion_pytorch_model.safetensors.index.json",
        "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
        "unet/diffusion_pytorch_model-00002-of-00002.safetensors"
    )]
    [InlineData(
        "fp16",
        "unet/diffusion_pytorch_model.safetensors.index.fp16.json",
        "unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors",
        "unet/diffusion_pytorch_model.fp16-00002-of-00002.safetensors"
    )]
    public void Select_Shards_TakesAllAndTheirIndex(string? variant, params string[] expected) =>
        Assert.Equal(
            expected,
            Unet(
                variant,
                "unet/diffusion_pytorch_model.safetensors.index.json",
                "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
                "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
                "unet/diffusion_pytorch_model.safetensors.index.fp16.json",
                "unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors",
                "unet/diffusion_pytorch_model.fp16-00002-of-00002.safetensors"
            )
        );

    [Fact]
    public void Select_OlderShardNames_AreUnderstood() =>
        Assert.Equal(
            ["unet/diffusion_pytorch_model-00001-of-00001.fp16.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors.index.json"],
            Unet("fp16", "unet/diffusion_pytorch_model-00001-of-00001.fp16.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors.index.json")
        );

    [Fact]
    public void Select_ShardMissing_IsRefused() =>
        Refused(null, "some are missing", "unet/diffusion_pytorch_model.safetensors.index.json", "unet/diffusion_pytorch_model-00001-of-00002.safetensors");

    [Fact]
    public void Select_OnlyPickles_IsRefusedWithTheReason() => Refused(null, "can run code", "unet/diffusion_pytorch_model.bin");

    [Fact]
    public void Select_OnlyAVariant_NamesIt() => Refused(null, "add --variant fp16", "unet/diffusion_pytorch_model.fp16.safetensors");

    [Fact]
    public void Select_VariantNowhere_NamesThoseThereAre() =>
        Refused("pf16", "it has fp16", "unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors");

    [Fact]
    public void Select_VariantOfAModelWithoutAny_SaysToLeaveItOut() => Refused("fp16", "omit --variant", "unet/diffusion_pytorch_model.safetensors");

    [Fact]
    public void Select_AnotherKindOfModel_IsRefused() =>
        Refused(null, "text_encoder_2", "unet/diffusion_pytorch_model.safetensors", "text_encoder_2/model.safetensors");

    [Fact]
    public void Select_SingleFile_SaysWhatToLookFor()
    {
        HubException e = Assert.Throws<HubException>(() => PipelineFiles.Select(ModelName.Parse("a/b"), [.. Files("v1-5-pruned.safetensors")], null, []));
        Assert.Contains("model_index.json", e.Message, StringComparison.Ordinal);
        Assert.Contains("v1-5-pruned.safetensors", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Select_PathsThatLeaveTheFolder_AreNotTaken() =>
        Assert.Equal(
            ["unet/diffusion_pytorch_model.safetensors"],
            Unet(
                null,
                "unet/diffusion_pytorch_model.safetensors",
                "unet/../../diffusion_pytorch_model.safetensors",
                "../model_index.json",
                "/etc/passwd",
                "unet/..\\x.safetensors"
            )
        );

    private static void Refused(string? variant, string words, params string[] files) =>
        Assert.Contains(words, Assert.Throws<HubException>(() => Unet(variant, files)).Message, StringComparison.Ordinal);

    private static string[] Unet(string? variant, params string[] files) =>
        [
            .. PipelineFiles
                .Select(ModelName.Parse("a/b"), [.. Files([.. Basis, .. files])], variant, [])
                .Select(f => f.Path)
                .Where(p => p.StartsWith("unet/", StringComparison.Ordinal) && p != "unet/config.json")
                .OrderBy(p => Array.IndexOf(files, p)),
        ];

    private static IEnumerable<HubFile> Files(params IEnumerable<string> paths) =>
        paths.Select((p, i) => new HubFile(p, i, new string((char)('a' + (i % 6)), 64)));
}
