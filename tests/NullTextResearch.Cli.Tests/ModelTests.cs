using System.Globalization;
using System.Text.RegularExpressions;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>Every verb takes a folder or a single file; what a model does not say can be said.</summary>
public sealed partial class ModelTests : Workshop
{
    private static readonly OriginalModel Second = (
        OriginalModel.TinyV2 with
        {
            ResidualBlocks = 1,
            Multipliers = [1, 2],
            AttentionAt = [1],
            VaeMultipliers = [1, 1, 1, 2],
        }
    ).WithVocabulary();

    [Fact]
    public void InvertAndEdit_SingleFileOfV2_RememberHowItWasRead()
    {
        string file = Single(Second);
        Outcome inverted = Run(
            "invert",
            "photo.png",
            "--prompt",
            "a red car",
            "--model",
            file,
            "--prediction",
            "v",
            "--size",
            "64",
            "--steps",
            "3",
            "--inner",
            "1",
            "--out",
            "run"
        );
        Assert.True(inverted.ExitCode == 0, inverted.Error);
        Assert.Contains("note: predicts velocity (v): as requested", inverted.Error, StringComparison.Ordinal);
        Assert.Contains("note: tokenizer: ", inverted.Error, StringComparison.Ordinal);
        Assert.Contains("any, 64 x 64 px", inverted.Out, StringComparison.Ordinal);

        Outcome edited = Run("edit", "run", "--to", "a red house");
        Assert.True(edited.ExitCode == 0, edited.Error);
        Assert.Contains("as requested", edited.Error, StringComparison.Ordinal);
        Run("edit", "run", "--to", "a red house", "--prediction", "epsilon").Refused(1, "--prediction", "edits would not match");

        string moved = Path.Combine(Folder, "elsewhere");
        Directory.Move(Path.GetDirectoryName(file)!, moved);
        Run("edit", "run", "--to", "a big car").Refused(1, "There is no model");
        Assert.Equal(0, Run("edit", "run", "--to", "a big car", "--model", Path.Combine(moved, "any.safetensors")).ExitCode);
    }

    [Fact]
    public void Sample_FolderOfV2_Works()
    {
        string model = Path.Combine(Folder, "v2");
        ModelFiles.WriteFolder(model, Second, torch.ScalarType.Float16, "fp16");
        string config = Path.Combine(model, "unet", "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"sample_size\": 96", "\"sample_size\": 8", StringComparison.Ordinal));
        Outcome outcome = Run("sample", "--prompt", "a red car", "--model", model, "--steps", "2", "--count", "1", "--out", "a.png");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        Assert.Contains("note: unet: diffusion_pytorch_model.fp16.safetensors", outcome.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(Folder, "a.png")));
        Run("sample", "--prompt", "a red car", "--model", model, "--variant", "bf16", "--out", "b.png").Refused(1, "bf16", "fp16");
    }

    [Theory]
    [InlineData("--prediction", "noise", "must be epsilon or v")]
    public void Sample_OptionThatMakesNoSense_IsRefused(string option, string value, string says) =>
        Run("sample", "--prompt", "a cat", option, value).Refused(2, option, says);

    [Fact]
    public void Sample_TokenizerFolderWithoutFiles_IsRefused() =>
        Run("sample", "--prompt", "a cat", "--model", Single(Second, hollow: true), "--prediction", "v", "--tokenizer", Folder)
            .Refused(1, "vocab.json", "merges.txt");

    [Fact]
    public void Doctor_TellsWhatAFileIs()
    {
        string path = Path.Combine(Folder, "lora.safetensors");
        ModelFiles.WriteHollow(path, [new OriginalTensor("lora_unet_mid_block.lora_down.weight", [4, 4])]);
        Assert.Contains("is a LoRA", Run("doctor", "--model", path).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Doctor_WeightsThatAreNoNumbers_AreNamedAndFail()
    {
        string path = Single(Second, hollow: true);
        foreach (
            (string name, float[] values) in ((string, float[])[])
                [
                    ("model.diffusion_model.out.2.bias", [float.NaN, float.PositiveInfinity, float.NaN]),
                    ("first_stage_model.decoder.conv_out.bias", [float.NegativeInfinity]),
                ]
        )
        {
            long at;
            using (Weights.SafetensorsFile header = Weights.SafetensorsFile.Open(path))
                at = new FileInfo(path).Length - header.Entries.Max(e => e.End) + header.Entry(name).Begin;
            using FileStream file = File.OpenWrite(path);
            file.Position = at;
            file.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values));
        }

        Outcome outcome = Run("doctor", "--model", path, "--prediction", "v");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("unet: conv_out.bias has 2 NaN and 1 infinite numbers", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("vae: decoder.conv_out.bias has 0 NaN and 1 infinite numbers", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("2 tensors contain NaN or infinite numbers", outcome.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Doctor_FolderWithALearnedWordAndAStrayKey_SaysBoth()
    {
        string model = Path.Combine(Folder, "learned");
        OriginalModel grown = OriginalModel.TinyV1.WithVocabulary() with { Vocabulary = OriginalModel.TinyV1.WithVocabulary().Vocabulary + 1 };
        ModelFiles.WriteFolder(model, grown, hollow: true);
        File.WriteAllText(Path.Combine(model, "tokenizer", "added_tokens.json"), $$"""{"<cat-toy>": {{grown.Vocabulary - 1}}}""");
        ModelFiles.WriteHollow(
            Path.Combine(model, "unet", "diffusion_pytorch_model.safetensors"),
            [.. grown.UNet().Select(t => t with { Name = t.Keys[0] }), new OriginalTensor("global_step", [])]
        );
        Outcome outcome = Run("doctor", "--model", model);
        Assert.True(outcome.ExitCode == 0, outcome.Out + outcome.Error);
        Assert.Contains("note: tokenizer: learned words: <cat-toy>", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("note: unet: 1 tensors belong to no part of the model and were ignored: global_step", outcome.Error, StringComparison.Ordinal);
    }

    /// <summary>A model of 330 MB in single precision: loading must not need a tenth more than it.</summary>
    [Theory]
    [InlineData("F32", 4)]
    [InlineData("F16", 2)]
    public void Doctor_LargeModel_LoadsInItsOwnSizeAndATenth(string dtype, int bytes)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "resident memory is read from /proc");
        OriginalModel large = (OriginalModel.V1 with { Channels = 96, Context = 64, TextLayers = 2, VaeChannels = 32 }).WithVocabulary();
        string path = Path.Combine(Folder, "large.safetensors");
        ModelFiles.WriteTokenizer(Path.Combine(Folder, "tokenizer"));
        ModelFiles.WriteHollow(path, large.All(), dtype, bytes);
        Outcome outcome = Run("doctor", "--model", path);
        Match match = Peak().Match(outcome.Out[outcome.Out.IndexOf("large,", StringComparison.Ordinal)..]);
        Assert.True(match.Success, outcome.Out + outcome.Error);
        double weights = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture),
            peak = double.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
        Assert.InRange(weights, 300, 400);
        Assert.InRange(peak, weights * 0.9, weights * 1.1);
    }

    [GeneratedRegex(@"(\d+) MB of weights at a peak of (\d+) MB")]
    private static partial Regex Peak();

    private string Single(OriginalModel model, bool hollow = false)
    {
        string path = Path.Combine(Folder, "single", "any.safetensors");
        ModelFiles.WriteTokenizer(Path.Combine(Folder, "single", "tokenizer"));
        if (hollow)
            ModelFiles.WriteHollow(path, model.All());
        else
            ModelFiles.WriteOriginal(path, model.All());
        return path;
    }
}
