using System.Text.Json.Nodes;
using NullTextResearch.Loading;
using NullTextResearch.TestKit;
using NullTextResearch.Text;
using NullTextResearch.Weights;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Loading;

/// <summary>Checkpoints as people have them: with left-overs, wrapped names and learned words. Only what is needed is judged.</summary>
public sealed class FoundCheckpointsTests : IDisposable
{
    private static readonly OriginalModel V1 = OriginalModel.TinyV1.WithVocabulary();
    private readonly string _folder = Directory.CreateTempSubdirectory("ntr-found-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("global_step", "U32")]
    [InlineData("global_step", "U64")]
    [InlineData("scaled_fp8", "F8_E4M3")]
    [InlineData("model.diffusion_model.scaled_fp8", "F8_E4M3")]
    [InlineData("text_projection", "F32")]
    [InlineData("clip_l.text_projection", "F32")]
    [InlineData("vision_model.encoder.layers.0.mlp.fc1.weight", "F32")]
    [InlineData("cond_stage_model.transformer.vision_model.post_layernorm.weight", "F32")]
    [InlineData("lora_unet_down_blocks_0_attentions_0.lora_down.weight", "F16")]
    [InlineData("control_model.input_blocks.0.0.weight", "F32")]
    [InlineData("first_stage_model.decoder.extra.weight", "F32")]
    public void Load_SingleFileWithAStrayKey_IsTakenWithANote(string key, string type)
    {
        string path = Path.Combine(_folder, "x.safetensors");
        ModelFiles.WriteTokenizer(Path.Combine(_folder, "tokenizer"));
        ModelFiles.WriteHollow(path, V1.All());
        AddEntry(path, key, type);
        using StableDiffusion model = StableDiffusion.Load(path);
        // The step counter of training is in so many files that nobody wants to read of it.
        if (key != "global_step")
            Assert.Contains(model.Notes, n => n.Contains(key, StringComparison.Ordinal) && n.Contains("were ignored", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("unet", "global_step", "U64")]
    [InlineData("unet", "lora_unet_mid_block.lora_up.weight", "F32")]
    [InlineData("text_encoder", "text_projection.weight", "F32")]
    [InlineData("text_encoder", "vision_model.encoder.layers.1.mlp.fc1.weight", "F32")]
    [InlineData("vae", "quant.marker", "F8_E5M2")]
    public void Load_FolderWithAStrayKey_IsTakenWithANote(string part, string key, string type)
    {
        ModelFiles.WriteFolder(_folder, V1, hollow: true);
        AddEntry(Directory.GetFiles(Path.Combine(_folder, part), "*.safetensors").Single(), key, type);
        using StableDiffusion model = StableDiffusion.Load(_folder);
        Assert.Equal($"{part}: 1 tensors belong to no part of the model and were ignored: {key}", Assert.Single(model.Notes));
    }

    [Fact]
    public void Load_OneLayerMoreThanTheConfigSays_IsRefused()
    {
        ModelFiles.WriteFolder(_folder, V1, hollow: true);
        AddEntry(Path.Combine(_folder, "text_encoder", "model.safetensors"), "text_model.encoder.layers.2.mlp.fc1.weight", "F32");
        CheckpointMismatchException e = Assert.Throws<CheckpointMismatchException>(() => StableDiffusion.Load(_folder));
        Assert.Equal(["text_model.encoder.layers.2.mlp.fc1.weight"], e.Extra);
    }

    [Fact]
    public void Load_WeightOfATypeThatIsNotRead_IsRefusedByName()
    {
        ModelFiles.WriteFolder(_folder, V1, hollow: true);
        string path = Path.Combine(_folder, "unet", "diffusion_pytorch_model.safetensors");
        OriginalTensor[] tensors = [.. V1.UNet().Select(t => t with { Name = t.Keys[0] })];
        ModelFiles.WriteHollow(path, tensors, "F8_E4M3", 1);
        string message = Assert.Throws<ModelFormatException>(() => StableDiffusion.Load(_folder)).Message;
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains("F8_E4M3", message, StringComparison.Ordinal);
        Assert.Contains("16-bit", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("state_dict.")]
    [InlineData("module.")]
    public void Load_WrappedNames_AreUnderstoodWithANote(string wrapping)
    {
        string path = Path.Combine(_folder, "single", "x.safetensors"),
            folder = Path.Combine(_folder, "folder");
        ModelFiles.WriteTokenizer(Path.Combine(_folder, "single", "tokenizer"));
        ModelFiles.WriteHollow(path, [.. V1.All().Select(t => t with { Name = wrapping + t.Name }), new OriginalTensor("epoch", [1])]);
        using (StableDiffusion single = StableDiffusion.Load(path))
            Assert.Contains(single.Notes, n => n.Contains($"begin with '{wrapping}'", StringComparison.Ordinal));
        ModelFiles.WriteFolder(folder, V1, hollow: true);
        ModelFiles.WriteHollow(
            Path.Combine(folder, "unet", "diffusion_pytorch_model.safetensors"),
            V1.UNet().Select(t => t with { Name = wrapping + t.Keys[0] })
        );
        using StableDiffusion model = StableDiffusion.Load(folder);
        Assert.Equal($"unet: the names begin with '{wrapping}', which was ignored", Assert.Single(model.Notes));
    }

    [Fact]
    public void Load_LearnedWordWithItsRow_TokenizesToItsId()
    {
        OriginalModel grown = V1 with { Vocabulary = V1.Vocabulary + 1 };
        ModelFiles.WriteFolder(_folder, grown, hollow: true);
        File.WriteAllText(Path.Combine(_folder, "tokenizer", "added_tokens.json"), $$"""{"<cat-toy>": {{V1.Vocabulary}}}""");
        using StableDiffusion model = StableDiffusion.Load(_folder);
        TokenizedPrompt prompt = model.Tokenizer.Tokenize("a <cat-toy> in the snow");
        Assert.Equal(V1.Vocabulary, prompt.Ids[2]);
        Assert.Equal(5, prompt.TokenCount);
        Assert.Equal([2], prompt.PositionsOf("<cat-toy>"));
        Assert.Equal("tokenizer: learned words: <cat-toy>", Assert.Single(model.Notes));
        Assert.Contains(model.Source!.Files, f => f.EndsWith("added_tokens.json", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_LearnedWordWithoutItsRow_IsRefusedByTheWord()
    {
        ModelFiles.WriteFolder(_folder, V1, hollow: true);
        File.WriteAllText(Path.Combine(_folder, "tokenizer", "added_tokens.json"), $$"""{"<cat-toy>": {{V1.Vocabulary}}}""");
        string message = Assert.Throws<ModelFormatException>(() => StableDiffusion.Load(_folder)).Message;
        Assert.Contains("'<cat-toy>'", message, StringComparison.Ordinal);
        Assert.Contains("token_embedding", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_TokenizerOfTheFastKindOnly_SaysWhatItIs()
    {
        string path = Path.Combine(_folder, "x.safetensors"),
            tokenizer = Path.Combine(_folder, "tokenizer");
        ModelFiles.WriteHollow(path, V1.All());
        Directory.CreateDirectory(tokenizer);
        File.WriteAllText(Path.Combine(tokenizer, "tokenizer.json"), "{}");
        Assert.Contains("tokenizer.json", Assert.Throws<TokenizerFileException>(() => ClipTokenizer.Load(tokenizer)).Message, StringComparison.Ordinal);
        foreach (string? named in (string?[])[null, tokenizer])
        {
            string message = Assert.Throws<ModelFormatException>(() => ModelSource.Find(path, new ModelLoadOptions { Tokenizer = named })).Message;
            Assert.Contains("save_vocabulary", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void NotFinite_NamesTensorsAndCounts()
    {
        using DisposeScope scope = NewDisposeScope();
        using WeightSet weights = new();
        foreach (string name in (string[])["good", "nan", "opposite", "large"])
            weights.Root.Declare(name, [3], WeightInit.FanIn);
        weights.Fill(w =>
            tensor(
                w.Key switch
                {
                    "nan" => [1, float.NaN, float.NegativeInfinity],
                    "opposite" => [float.PositiveInfinity, 0, float.NegativeInfinity],
                    // Their sum is beyond single precision; they are numbers all the same.
                    "large" => [float.MaxValue, float.MaxValue, float.MaxValue],
                    _ => (float[])[1, 2, 3],
                }
            )
        );
        Assert.Equal([("nan", 1L, 1L), ("opposite", 0L, 2L)], weights.NotFinite());
    }

    // One tensor more, behind the others.
    private static void AddEntry(string path, string name, string type)
    {
        byte[] bytes = File.ReadAllBytes(path);
        int length = (int)BitConverter.ToInt64(bytes);
        JsonObject header = JsonNode.Parse(bytes.AsSpan(8, length))!.AsObject();
        long end = bytes.Length - 8 - length;
        int size = type switch
        {
            "U64" => 8,
            "F16" => 2,
            "F8_E4M3" or "F8_E5M2" => 1,
            _ => 4,
        };
        header[name] = new JsonObject
        {
            ["dtype"] = type,
            ["shape"] = new JsonArray(2),
            ["data_offsets"] = new JsonArray(end, end + (2 * size)),
        };
        byte[] text = System.Text.Encoding.UTF8.GetBytes(header.ToJsonString());
        using FileStream file = File.Create(path);
        file.Write(BitConverter.GetBytes((long)text.Length));
        file.Write(text);
        file.Write(bytes.AsSpan(8 + length));
        file.Write(new byte[2 * size]);
    }
}
