using System.Text.Json;
using NullTextResearch.Images;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>What the verbs work on when nothing is named: rendered scenes for sd-mini, photographs for a model of the real kind.</summary>
public sealed class ExampleTests : Workshop
{
    // Stable Diffusion 1.x by its configs, 512 pixels included, with few channels.
    private static readonly OriginalModel Small = (
        OriginalModel.TinyV1 with
        {
            ResidualBlocks = 1,
            Multipliers = [1, 2],
            AttentionAt = [2],
            VaeMultipliers = [1, 1, 1, 1],
            VaeResidualBlocks = 1,
        }
    ).WithVocabulary();

    [Fact]
    public void Invert_NoImage_TakesTheFirstPhotographWithItsCaptionAndEdits()
    {
        string model = Model();
        Outcome inverted = Run("invert", "--model", model, "--method", "ddim", "--steps", "2");
        Assert.True(inverted.ExitCode == 0, inverted.Error);
        Assert.Contains("photos/01-cat, \"a close up photo of a brown cat\"", inverted.Out, StringComparison.Ordinal);
        Assert.Contains("512 x 512 px", inverted.Out, StringComparison.Ordinal);
        Assert.Contains("--to \"a close up photo of a brown dog\" --blend cat", inverted.Out, StringComparison.Ordinal);
        Assert.Equal(
            ImageFile.Load(Path.Combine(AppContext.BaseDirectory, "images", "photos", "01-cat.jpg")),
            ImageFile.Load(Path.Combine(Folder, "runs", "01-cat", "source.png"))
        );
    }

    [Fact]
    public void Invert_NoImageForSdMini_TakesAScene()
    {
        RequireMini();
        Outcome inverted = Run("invert", "--method", "ddim", "--steps", "2", "--out", "run");
        Assert.True(inverted.ExitCode == 0, inverted.Error);
        Assert.Contains("toy/01-house-snow, \"a big house in the snow\"", inverted.Out, StringComparison.Ordinal);
        Assert.Contains("64 x 64 px", inverted.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Invert_TextBesideTheImage_IsItsPrompt()
    {
        RequireMini();
        Run("invert", "photo.png", "--method", "ddim", "--steps", "2").Refused(2, "--prompt", "photo.txt");
        Run("invert", "--prompt", "a cat").Refused(2, "IMAGE");
        File.WriteAllText(Path.Combine(Folder, "photo.txt"), "a red car in the desert\na blue car in the desert | car\n");
        Outcome inverted = Run("invert", "photo.png", "--method", "ddim", "--steps", "2", "--out", "run");
        Assert.True(inverted.ExitCode == 0, inverted.Error);
        Assert.Contains("\"a red car in the desert\"", inverted.Out, StringComparison.Ordinal);
        Assert.Contains("nulltext edit run --to \"a blue car in the desert\" --blend car", inverted.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Reproduce_NoImages_TakesThePhotographs()
    {
        Outcome made = Run("reproduce", "--model", Model(), "--figures", "9", "--quick", "--count", "2", "--size", "64x48", "--out", "report");
        Assert.True(made.ExitCode == 0, made.Error);
        string manifest = Directory
            .GetFiles(Path.Combine(Folder, "report"), "*.json", SearchOption.AllDirectories)
            .Single(f => !f.Contains("results", StringComparison.Ordinal));
        Assert.Contains("photographs of data/images/photos", File.ReadAllText(Path.Combine(Folder, "report", "index.html")), StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(manifest));
        Assert.Contains("02-coffee", json.RootElement.GetRawText(), StringComparison.Ordinal);
        Assert.Contains("a photo of a cup of coffee on a red plate", json.RootElement.GetRawText(), StringComparison.Ordinal);
    }

    private string Model()
    {
        string model = Path.Combine(Folder, "small-v1");
        ModelFiles.WriteFolder(model, Small);
        return model;
    }
}
