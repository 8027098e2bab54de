using System.Text.Json.Nodes;
using NullTextResearch.Diffusion;
using NullTextResearch.Loading;
using NullTextResearch.TestKit;
using NullTextResearch.Weights;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Loading;

/// <summary>What will not do is told: what was found, what was expected, what it may be.</summary>
public sealed class RefusalTests : IDisposable
{
    private static readonly OriginalModel First = OriginalModel.TinyV1.WithVocabulary();
    private static readonly OriginalModel Second = OriginalModel.TinyV2.WithVocabulary();
    private readonly string _folder = Directory.CreateTempSubdirectory("ntr-refuse-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Find_Nothing_NamesWhatLiesBeside()
    {
        ModelFiles.WriteHollow(Path.Combine(_folder, "v1-5.safetensors"), First.All());
        Refused(Path.Combine(_folder, "v1-6.safetensors"), "There is no model folder or file", "v1-5.safetensors");
    }

    [Theory]
    [InlineData("model.ckpt")]
    [InlineData("model.pt")]
    [InlineData("model.bin")]
    [InlineData("named-otherwise.safetensors")]
    public void Find_Pickle_IsRefusedUnreadWithTheWayOut(string name)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, [(byte)'P', (byte)'K', 3, 4, 0, 0, 0, 0, 99, 99]);
        Refused(path, "pickle", "run", "weights_only=True", "save_file");
    }

    [Theory]
    [InlineData("unet", "diffusion_pytorch_model.bin")]
    [InlineData("text_encoder", "pytorch_model.bin")]
    public void Find_FolderWithPickleWeights_IsRefused(string part, string name)
    {
        ModelFiles.WriteFolder(_folder, First, hollow: true);
        foreach (string file in Directory.GetFiles(Path.Combine(_folder, part), "*.safetensors"))
            File.Move(file, Path.Combine(_folder, part, name));
        Refused(_folder, name, "pickle", "weights_only=True");
    }

    [Theory]
    [InlineData("base_model.text_model.lora_A.weight", "a LoRA")]
    [InlineData("lora_unet_down_blocks_0.lora_down.weight", "a LoRA")]
    [InlineData("control_model.input_blocks.0.0.weight", "a ControlNet")]
    [InlineData("emb_params", "textual-inversion")]
    [InlineData("conditioner.embedders.0.transformer.text_model.embeddings.token_embedding.weight", "Stable Diffusion XL")]
    [InlineData("model.diffusion_model.joint_blocks.0.context_block.attn.qkv.weight", "Stable Diffusion 3")]
    [InlineData("model.diffusion_model.double_blocks.0.img_attn.qkv.weight", "FLUX")]
    [InlineData("encoder.down.0.block.0.conv1.weight", "an autoencoder alone")]
    [InlineData("encoder.down_blocks.0.resnets.0.conv1.weight", "the autoencoder of a diffusers-format folder")]
    [InlineData("text_model.encoder.layers.0.layer_norm1.weight", "a text encoder")]
    [InlineData("diffusion_model.input_blocks.0.0.weight", "a U-Net alone")]
    [InlineData("transformer.h.0.attn.c_attn.weight", "is not a Stable Diffusion checkpoint. Found 1 tensors: transformer.h.0")]
    public void Find_FileOfAnotherKind_IsNamed(string key, string what)
    {
        string path = Path.Combine(_folder, "x.safetensors");
        ModelFiles.WriteHollow(path, [new OriginalTensor(key, [2, 2])]);
        Refused(path, what);
    }

    [Theory]
    [InlineData(9, "inpainting")]
    [InlineData(8, "InstructPix2Pix")]
    [InlineData(5, "depth")]
    [InlineData(6, "6 channels")]
    public void Find_SingleFileWithOtherInputs_IsNamed(int channels, string what)
    {
        string path = Path.Combine(_folder, "x.safetensors");
        ModelFiles.WriteHollow(path, (First with { InChannels = channels }).All());
        Refused(path, what, "base model");
    }

    [Theory]
    [InlineData("first_stage_model.", "no autoencoder")]
    [InlineData("cond_stage_model.", "no text encoder")]
    public void Find_SingleFileWithoutAPart_SaysWhich(string prefix, string what)
    {
        string path = Path.Combine(_folder, "x.safetensors");
        ModelFiles.WriteHollow(path, First.All().Where(t => !t.Name.StartsWith(prefix, StringComparison.Ordinal)));
        Refused(path, what);
    }

    [Fact]
    public void Load_SingleFileWithAHoleOrASurplus_NamesTheTensors()
    {
        string path = Path.Combine(_folder, "x.safetensors");
        ModelFiles.WriteTokenizer(Path.Combine(_folder, "tokenizer"));
        ModelFiles.WriteHollow(
            path,
            [
                .. First.All().Where(t => t.Name != "first_stage_model.encoder.mid.attn_1.q.weight"),
                new OriginalTensor("first_stage_model.decoder.extra.weight", [3]),
                new OriginalTensor("embedding_manager.x", [3]),
            ]
        );
        CheckpointMismatchException e = Assert.Throws<CheckpointMismatchException>(() => StableDiffusion.Load(path));
        Assert.Equal(["encoder.mid_block.attentions.0.to_q.weight (as first_stage_model.encoder.mid.attn_1.q.weight)"], e.Missing);
        Assert.Equal(["first_stage_model.decoder.extra.weight"], e.Extra);
        Assert.Contains(
            ModelSource.Find(path).Notes,
            n => n.Contains("1 tensors belong to no part of the model and were ignored: embedding_manager.x", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Load_MisshapenFusedProjection_SaysTheShapeOfTheWhole()
    {
        string path = Path.Combine(_folder, "x.safetensors");
        ModelFiles.WriteTokenizer(Path.Combine(_folder, "tokenizer"));
        ModelFiles.WriteHollow(
            path,
            Second.All().Select(t => t.Name == "cond_stage_model.model.transformer.resblocks.1.attn.in_proj_weight" ? t with { Shape = [256, 128] } : t)
        );
        CheckpointMismatchException e = Assert.Throws<CheckpointMismatchException>(() =>
            StableDiffusion.Load(path, new ModelLoadOptions { Prediction = PredictionType.Epsilon })
        );
        Assert.All(e.Misshaped, m => Assert.Equal("cond_stage_model.model.transformer.resblocks.1.attn.in_proj_weight is [256, 128] instead of [384, 128]", m));
        Assert.Equal(3, e.Misshaped.Count);
    }

    [Theory]
    [InlineData("unet")]
    [InlineData("vae")]
    [InlineData("tokenizer")]
    public void Find_FolderWithoutAPart_ListsFoundAndMissing(string part)
    {
        ModelFiles.WriteFolder(_folder, First, hollow: true);
        Directory.Delete(Path.Combine(_folder, part), recursive: true);
        Refused(_folder, $"lacks {part}", "Found: model_index.json", "Expected: unet, vae, text_encoder, tokenizer, scheduler");
    }

    [Theory]
    [InlineData("transformer", "transformer instead of a U-Net")]
    [InlineData("text_encoder_2", "Stable Diffusion XL")]
    public void Find_FolderOfAnotherFamily_IsNamed(string part, string what)
    {
        ModelFiles.WriteFolder(_folder, First, hollow: true);
        Directory.CreateDirectory(Path.Combine(_folder, part));
        Refused(_folder, what);
    }

    [Fact]
    public void Find_FolderAboveOrBelowTheModel_PointsToIt()
    {
        string model = Path.Combine(_folder, "models--a--b", "snapshots", "0123"),
            files = Path.Combine(_folder, "files");
        ModelFiles.WriteFolder(model, First, hollow: true);
        Refused(Path.Combine(_folder, "models--a--b"), $"give {model}");
        Refused(Path.Combine(model, "unet"), "one part of a model", model);
        ModelFiles.WriteHollow(Path.Combine(files, "v1-5.safetensors"), First.All());
        Refused(files, "give the path of one", "v1-5.safetensors");
        Refused(Path.Combine(model, "unet", "diffusion_pytorch_model.safetensors"), "the U-Net of a diffusers-format folder");
        Refused(Directory.CreateDirectory(Path.Combine(_folder, "empty")).FullName, "Found: nothing");
    }

    [Fact]
    public void Find_TextEncoderOfAnotherModel_NamesBoth()
    {
        ModelFiles.WriteFolder(_folder, OriginalModel.V1, hollow: true);
        string other = Path.Combine(_folder, "other");
        ModelFiles.WriteFolder(other, OriginalModel.V2, hollow: true);
        Directory.Delete(Path.Combine(_folder, "text_encoder"), recursive: true);
        Directory.Move(Path.Combine(other, "text_encoder"), Path.Combine(_folder, "text_encoder"));
        Refused(
            _folder,
            "1024 wide (OpenCLIP ViT-H/14, the text encoder of Stable Diffusion 2.x)",
            "expects 768 (CLIP ViT-L/14",
            "The U-Net is that of Stable Diffusion 1.x"
        );
    }

    [Fact]
    public void Load_UNetWeightsOfAnotherModel_SayWhatTheyAre()
    {
        ModelFiles.WriteFolder(_folder, OriginalModel.V1 with { Vocabulary = First.Vocabulary }, hollow: true);
        ModelFiles.WriteWeights(
            Path.Combine(_folder, "unet"),
            "diffusion_pytorch_model",
            [.. OriginalModel.V2.UNet().Select(t => t with { Name = t.Keys[0] })],
            ScalarType.Float32,
            hollow: true
        );
        CheckpointMismatchException e = Assert.Throws<CheckpointMismatchException>(() => StableDiffusion.Load(_folder));
        Assert.Contains("The weights expect text embeddings of width 1024, from OpenCLIP ViT-H/14", e.Message, StringComparison.Ordinal);
        Assert.Contains("instead of [320, 768]", e.Message, StringComparison.Ordinal);
        Assert.Empty(e.Missing);
    }

    [Fact]
    public void Find_UNetOfNoKnownModel_TellsTheNearest()
    {
        ModelFiles.WriteFolder(_folder, OriginalModel.V1, hollow: true);
        Edit("unet/config.json", json => json["in_channels"] = 9);
        Refused(_folder, "an inpainting model", "The nearest known model is Stable Diffusion 1.x; the U-Net differs in: in_channels 9 instead of 4.");
    }

    [Theory]
    [InlineData("unet/config.json", "num_class_embeds", "1000", "num_class_embeds")]
    [InlineData("unet/config.json", "only_cross_attention", "true", "only_cross_attention")]
    [InlineData("unet/config.json", "transformer_layers_per_block", "[1, 2, 10]", "transformer_layers_per_block")]
    [InlineData("unet/config.json", "act_fn", "\"gelu\"", "act_fn")]
    [InlineData("vae/config.json", "shift_factor", "0.1", "shift_factor")]
    [InlineData("text_encoder/config.json", "hidden_act", "\"relu\"", "hidden_act")]
    [InlineData("scheduler/scheduler_config.json", "prediction_type", "\"sample\"", "prediction_type")]
    [InlineData("scheduler/scheduler_config.json", "timestep_spacing", "\"karras\"", "timestep_spacing")]
    [InlineData("scheduler/scheduler_config.json", "trained_betas", "[0.1, 0.2]", "trained_betas")]
    [InlineData("scheduler/scheduler_config.json", "beta_schedule", "\"squaredcos_cap_v2\"", "beta_schedule")]
    public void Find_ConfigAsksForSomethingElse_IsRefusedByName(string file, string field, string value, string says)
    {
        ModelFiles.WriteFolder(_folder, First, hollow: true);
        Edit(file, json => json[field] = JsonNode.Parse(value));
        Refused(_folder, says, "supported");
    }

    [Fact]
    public void Find_OptionOfTheOtherLayout_IsRefused()
    {
        string folder = Path.Combine(_folder, "folder"),
            file = Path.Combine(_folder, "x.safetensors");
        ModelFiles.WriteFolder(folder, First, hollow: true);
        ModelFiles.WriteHollow(file, First.All());
        Assert.Contains(
            "no variants",
            Assert.Throws<ModelFormatException>(() => ModelSource.Find(file, new ModelLoadOptions { Variant = "fp16" })).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "single files",
            Assert.Throws<ModelFormatException>(() => ModelSource.Find(folder, new ModelLoadOptions { UseEma = true })).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Load_TokenizerOfAnotherModel_IsRefused()
    {
        ModelFiles.WriteFolder(_folder, First with { Vocabulary = 100 });
        Assert.Contains(
            "the text encoder knows 100",
            Assert.Throws<ModelFormatException>(() => StableDiffusion.Load(_folder)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Open_Index_ContradictionsAreTold()
    {
        string unet = Path.Combine(_folder, "unet"),
            index = Path.Combine(unet, "diffusion_pytorch_model.safetensors.index.json");
        ModelFiles.WriteFolder(_folder, First, shards: 2, hollow: true);
        string good = File.ReadAllText(index),
            second = Path.Combine(unet, "diffusion_pytorch_model-00002-of-00002.safetensors");

        Change(map => map["nowhere.weight"] = "diffusion_pytorch_model-00001-of-00002.safetensors");
        Opened("says that", "nowhere.weight", "different downloads");
        Change(map => map["conv_in.weight"] = "diffusion_pytorch_model-00002-of-00002.safetensors");
        Opened("conv_in.weight", "different downloads");
        Change(map => map["conv_in.weight"] = "../../secret.safetensors");
        Opened("../../secret.safetensors", "next to it");
        Change(map => map["conv_in.weight"] = "diffusion_pytorch_model-00001-of-00002.bin");
        Opened("pickle");
        Change(map => map.Clear());
        Opened("weight_map is empty");
        File.WriteAllText(index, good);
        File.Copy(second, second + ".kept");
        File.Delete(second);
        Opened("2 shards", "missing: diffusion_pytorch_model-00002-of-00002.safetensors");
        File.Copy(Path.Combine(unet, "diffusion_pytorch_model-00001-of-00002.safetensors"), second);
        Opened("is in diffusion_pytorch_model-00001-of-00002.safetensors and in");
        File.Delete(index);
        Refused(_folder, "shards, but not their index");

        void Change(Action<JsonObject> how)
        {
            JsonNode json = JsonNode.Parse(good)!;
            how(json["weight_map"]!.AsObject());
            File.WriteAllText(index, json.ToJsonString());
        }

        void Opened(params string[] words)
        {
            ModelFormatException e = Assert.Throws<ModelFormatException>(() => Checkpoint.Open(index));
            Assert.All(words, word => Assert.Contains(word, e.Message, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Open_EightBitTensors_AreRefusedByName()
    {
        string path = Path.Combine(_folder, "x.safetensors");
        ModelFiles.WriteHollow(path, First.All(), "F8_E4M3", 1);
        Refused(path, "F8_E4M3", "16-bit");
    }

    private static void Refused(string path, params string[] words)
    {
        ModelFormatException e = Assert.Throws<ModelFormatException>(() => ModelSource.Find(path));
        Assert.All(words, word => Assert.Contains(word, e.Message, StringComparison.Ordinal));
    }

    private void Edit(string file, Action<JsonNode> change)
    {
        string path = Path.Combine(_folder, file);
        JsonNode json = JsonNode.Parse(File.ReadAllText(path))!;
        change(json);
        File.WriteAllText(path, json.ToJsonString());
    }
}
