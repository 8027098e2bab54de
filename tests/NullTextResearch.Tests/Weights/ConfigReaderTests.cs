using System.Text.Json;
using System.Text.Json.Nodes;
using NullTextResearch.TestKit;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using NullTextResearch.Weights;
using Xunit;

namespace NullTextResearch.Tests.Weights;

/// <summary>Configs that others wrote: what makes no sense is refused by file and field, before a network of that size is declared.</summary>
public sealed class ConfigReaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ntr-config-").FullName;

    public ConfigReaderTests() => ModelFiles.WriteFolder(_folder, OriginalModel.TinyV1.WithVocabulary(), hollow: true);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("""{"n": 1, "n": 2}""", "the name 'n' appears twice")]
    [InlineData("""{"n": "\ud800"}""", "half a character")]
    [InlineData("""{"\udfff": 1}""", "half a character")]
    [InlineData("""{"n": }""", "not valid JSON")]
    [InlineData("""["n"]""", "expected a JSON object")]
    [InlineData("", "is empty")]
    public void FromFile_DamagedJson_IsRefusedWithFileAndPlace(string content, string says)
    {
        string path = Path.Combine(_folder, "config.json");
        File.WriteAllText(path, content);
        string message = Assert.Throws<ModelFormatException>(() => ConfigReader.FromFile(path)).Message;
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains(says, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_ObjectThatAnotherParserTook_IsHeldToTheSameRules()
    {
        using JsonDocument lax = JsonDocument.Parse("""{"n": {"a": 1, "a": 2}}""");
        Assert.Contains(
            "appears twice",
            Assert.Throws<ModelFormatException>(() => new ConfigReader(lax.RootElement, "x.json")).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void FromFile_NestedAThousandDeep_IsRefused()
    {
        string path = Path.Combine(_folder, "config.json");
        File.WriteAllText(path, "{\"n\":" + new string('[', 1000) + new string(']', 1000) + "}");
        Assert.Contains(path, Assert.Throws<ModelFormatException>(() => ConfigReader.FromFile(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("unet/config.json", "block_out_channels", "[64, 1.5, 128]")]
    [InlineData("unet/config.json", "block_out_channels", "[64, 2147483648, 128]")]
    [InlineData("unet/config.json", "block_out_channels", "[64, -128, 128]")]
    [InlineData("unet/config.json", "block_out_channels", "[64, 100, 128]")]
    [InlineData("unet/config.json", "block_out_channels", "[]")]
    [InlineData("unet/config.json", "block_out_channels", "64")]
    [InlineData("unet/config.json", "attention_head_dim", "0")]
    [InlineData("unet/config.json", "attention_head_dim", "7")]
    [InlineData("unet/config.json", "attention_head_dim", "2147483648")]
    [InlineData("unet/config.json", "attention_head_dim", "[8, 8]")]
    [InlineData("unet/config.json", "layers_per_block", "2147483647")]
    [InlineData("unet/config.json", "layers_per_block", "0")]
    [InlineData("unet/config.json", "norm_num_groups", "0")]
    [InlineData("unet/config.json", "norm_eps", "1e400")]
    [InlineData("unet/config.json", "norm_eps", "\"NaN\"")]
    [InlineData("unet/config.json", "sample_size", "0")]
    [InlineData("unet/config.json", "down_block_types", "[\"DownBlock2D\", null, \"DownBlock2D\"]")]
    [InlineData("unet/config.json", "down_block_types", "[\"DownBlock2D\"]")]
    [InlineData("unet/config.json", "up_block_types", "[\"UpBlock3D\", \"UpBlock2D\", \"UpBlock2D\"]")]
    [InlineData("vae/config.json", "block_out_channels", "[32, 48, 64]")]
    [InlineData("vae/config.json", "block_out_channels", "[]")]
    [InlineData("vae/config.json", "layers_per_block", "1000000")]
    [InlineData("vae/config.json", "scaling_factor", "0")]
    [InlineData("vae/config.json", "in_channels", "1.5")]
    [InlineData("text_encoder/config.json", "num_hidden_layers", "2147483647")]
    [InlineData("text_encoder/config.json", "num_attention_heads", "0")]
    [InlineData("text_encoder/config.json", "num_attention_heads", "5")]
    [InlineData("text_encoder/config.json", "vocab_size", "-1")]
    [InlineData("text_encoder/config.json", "hidden_act", "\"relu\"")]
    [InlineData("text_encoder/config.json", "hidden_act", "7")]
    public void Read_ValueThatMakesNoSense_IsRefusedByFileAndField(string file, string field, string value)
    {
        string path = Path.Combine(_folder, file);
        JsonNode json = JsonNode.Parse(File.ReadAllText(path))!;
        json[field] = JsonNode.Parse(value);
        File.WriteAllText(path, json.ToJsonString());
        ConfigReader config = ConfigReader.FromFile(path);
        string message = Assert
            .Throws<ModelFormatException>(() =>
                file[0] switch
                {
                    'u' => (object)UNetConfig.Read(config),
                    'v' => VaeConfig.Read(config),
                    _ => ClipTextConfig.Read(config),
                }
            )
            .Message;
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains(field, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_LongValue_IsQuotedInPart()
    {
        string path = Path.Combine(_folder, "config.json");
        File.WriteAllText(path, $$"""{"n": "{{new string('x', 1_000_000)}}"}""");
        ModelFormatException e = Assert.Throws<ModelFormatException>(() => ConfigReader.FromFile(path).Int("n"));
        Assert.InRange(e.Message.Length, 1, 500);
    }
}
