using System.Security.Cryptography;
using System.Text;
using NullTextResearch.Images;
using NullTextResearch.Scenes;

namespace NullTextResearch.Experiments;

/// <summary>An edit that an experiment makes of an image.</summary>
/// <param name="Prompt">What the edited image should show.</param>
/// <param name="Label">What changes, in a few words.</param>
public sealed record PlannedEdit(string Prompt, string Label)
{
    /// <summary>Word of the source prompt that shows where the edit happens; null lets the whole image change.</summary>
    public string? SourceBlendWord { get; init; }

    /// <summary>Its counterpart in <see cref="Prompt"/>, or null.</summary>
    public string? TargetBlendWord { get; init; }

    /// <summary>The true result where it is known (rendered scenes), or null.</summary>
    public RgbImage? Truth { get; init; }

    /// <summary>The edited scene, where the image is a rendered one, or null.</summary>
    public SceneDescription? TargetScene { get; init; }
}

/// <summary>An image with its caption, ready for a model.</summary>
/// <param name="Name">Name in tables: that of its file or scene.</param>
/// <param name="Image">Pixels of the model's size.</param>
/// <param name="Caption">Source prompt.</param>
public sealed record ExperimentImage(string Name, RgbImage Image, string Caption)
{
    /// <summary>Edits to make of it; may be empty.</summary>
    public IReadOnlyList<PlannedEdit> Edits { get; init; } = [];

    /// <summary>The scene, where the image is a rendered one, or null.</summary>
    public SceneDescription? Scene { get; init; }

    /// <summary>SHA-256 over size and pixels, in hexadecimal.</summary>
    public string Hash => Convert.ToHexStringLower(SHA256.HashData([.. BitConverter.GetBytes(Image.Width), .. BitConverter.GetBytes(Image.Height), .. Image.Rgb]));

    /// <summary>A number that goes with the pixels: seeds of an image's noise do not depend on the other images.</summary>
    internal long Key => BitConverter.ToInt64(Convert.FromHexString(Hash)) & 0x7fffffff;
}

/// <summary>Where the images of the experiments come from.</summary>
public static class ExperimentImages
{
    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".webp"];

    /// <summary>Held-out toy scenes, rendered: no file is needed.</summary>
    /// <param name="count">How many, at least 1.</param>
    /// <param name="size">Width and height in pixels.</param>
    public static IReadOnlyList<ExperimentImage> Toy(int count, int size)
    {
        // The shipped list mixes kinds and places; a longer one is chosen anew.
        IReadOnlyList<ToyImage> chosen = ToyImageSet.Choose(Math.Max(count, ToyImageSet.ShippedCount));
        // One object that is not small, and a place that was not there yet, first: few images should show much.
        ToyImage[] plain = [.. chosen.Where(t => t.Scene.Objects.Count == 1 && t.Scene.Objects[0].Size != SceneSize.Small)];
        IEnumerable<ToyImage> varied = plain.GroupBy(t => t.Scene.Background).SelectMany(g => g.Select((image, round) => (image, round))).OrderBy(p => p.round).Select(p => p.image);
        using SceneRenderer renderer = new();
        return [.. varied.Concat(chosen.Except(plain)).Take(count).Select(t => FromScene(renderer, Path.GetFileNameWithoutExtension(t.File), t.Scene, size, null))];
    }

    /// <summary>
    /// Reads a folder: either one that <see cref="ToyImageSet"/> wrote, or images with a text file of the same name beside
    /// each, whose first line is the caption and whose further lines are prompts of edited versions.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="size">Width and height that the model takes; images are cropped to a square and resized.</param>
    /// <param name="count">At most so many, in the order of their names; null takes all.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="ImageFileException">It holds no image, an image cannot be read or lacks its caption.</exception>
    public static IReadOnlyList<ExperimentImage> FromFolder(string folder, int size, int? count = null)
    {
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"There is no image folder '{folder}'.");
        ImagePreparation preparation = new() { Size = size };
        if (File.Exists(Path.Combine(folder, ToyImageSet.ListName)))
        {
            using SceneRenderer renderer = new();
            return [.. ToyImageSet.Read(folder).Take(count ?? int.MaxValue).Select(t =>
                FromScene(renderer, Path.GetFileNameWithoutExtension(t.File), t.Scene, size, preparation.Apply(ImageFile.Load(Path.Combine(folder, t.File)))))];
        }
        string[] files = [.. Directory.GetFiles(folder).Where(f => Extensions.Contains(Path.GetExtension(f).ToLowerInvariant())).Order(StringComparer.Ordinal).Take(count ?? int.MaxValue)];
        if (files.Length == 0) throw new ImageFileException(folder, $"the folder holds no image ({string.Join(", ", Extensions)})");
        return [.. files.Select(file =>
        {
            string text = Path.ChangeExtension(file, ".txt");
            if (!File.Exists(text)) throw new ImageFileException(file, $"it has no caption; write one into '{Path.GetFileName(text)}' beside it (further lines: prompts of edited versions)");
            string[] lines = [.. File.ReadAllLines(text, Encoding.UTF8).Select(l => l.Trim()).Where(l => l.Length > 0)];
            if (lines.Length == 0) throw new ImageFileException(text, "it is empty; its first line must be the caption");
            return new ExperimentImage(Path.GetFileNameWithoutExtension(file), preparation.Apply(ImageFile.Load(file)), lines[0])
            {
                Edits = [.. lines.Skip(1).Select(l => new PlannedEdit(l, l))],
            };
        })];
    }

    private static ExperimentImage FromScene(SceneRenderer renderer, string name, SceneDescription scene, int size, RgbImage? given) =>
        new(name, given ?? Render(renderer, scene, size), scene.Caption)
        {
            Scene = scene,
            Edits = [.. SuggestedEdits.For(scene).Select(e => e.Plan(scene)).Select(plan => new PlannedEdit(plan.TargetCaption, Label(plan))
            {
                SourceBlendWord = plan.TargetBlendWord is null ? null : plan.SourceBlendWord,
                TargetBlendWord = plan.SourceBlendWord is null ? null : plan.TargetBlendWord,
                Truth = Render(renderer, plan.Target, size),
                TargetScene = plan.Target,
            })],
        };

    private static string Label(SceneEditPlan plan) => (plan.SourceWords.Count, plan.TargetWords.Count) switch
    {
        (0, _) => "+ " + string.Join(' ', plan.TargetWords),
        (_, 0) => "- " + string.Join(' ', plan.SourceWords),
        _ => $"{string.Join(' ', plan.SourceWords)} > {string.Join(' ', plan.TargetWords)}",
    };

    private static RgbImage Render(SceneRenderer renderer, SceneDescription scene, int size) => new(size, size, renderer.Render(scene, size));
}
