using System.Text;
using NullTextResearch.Images;
using NullTextResearch.Scenes;

namespace NullTextResearch.Experiments;

/// <summary>Sources of the images for the experiments.</summary>
public static class ExperimentImages
{
    /// <summary>Names of the image sets that ship with the library: rendered scenes, photographs.</summary>
    public const string ToyName = "toy",
        PhotographsName = "photos";

    // Smaller models are trained on rendered scenes here; a photograph with so few pixels shows nothing.
    private const int PhotographsFrom = 256;

    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".webp"];

    /// <summary>Renders held-out toy scenes; no file is needed.</summary>
    /// <param name="count">How many, at least 1.</param>
    /// <param name="size">Width and height in pixels.</param>
    public static IReadOnlyList<ExperimentImage> Toy(int count, int size)
    {
        // The shipped list mixes kinds and places; a longer one is chosen from scratch.
        IReadOnlyList<ToyImage> chosen = ToyImageSet.Choose(Math.Max(count, ToyImageSet.ShippedCount));
        // Scenes with one object that is not small, in a new place, come first, so that even a few images show variety.
        ToyImage[] plain = [.. chosen.Where(t => t.Scene.Objects.Count == 1 && t.Scene.Objects[0].Size != SceneSize.Small)];
        IEnumerable<ToyImage> varied = plain
            .GroupBy(t => t.Scene.Background)
            .SelectMany(g => g.Select((image, round) => (image, round)))
            .OrderBy(p => p.round)
            .Select(p => p.image);
        using SceneRenderer renderer = new();
        return
        [
            .. varied.Concat(chosen.Except(plain)).Take(count).Select(t => FromScene(renderer, Path.GetFileNameWithoutExtension(t.File), t.Scene, size, null)),
        ];
    }

    /// <summary>The name of the set that suits a model: photographs for models trained at 256 pixels or more, rendered scenes for smaller ones.</summary>
    /// <param name="sizes">The sizes that the model accepts.</param>
    public static string SetFor(SizeRule sizes) => sizes.OwnSide >= PhotographsFrom ? PhotographsName : ToyName;

    /// <summary>The images that suit a model.</summary>
    /// <param name="sizes">The sizes that the model accepts.</param>
    /// <param name="count">Maximum number of images, at least 1.</param>
    /// <param name="sizing">Their target size; null uses the model's own square.</param>
    /// <exception cref="ImageFileException">The photographs are neither next to the program nor in an enclosing checkout.</exception>
    public static IReadOnlyList<ExperimentImage> For(SizeRule sizes, int count, ImageSizing? sizing = null) =>
        SetFor(sizes) == PhotographsName ? Photographs(sizes, count, sizing) : Toy(count, ToySide(sizes, sizing));

    /// <summary>The photographs that ship with the library, with captions and edits to try.</summary>
    /// <param name="sizes">The sizes that the model accepts.</param>
    /// <param name="count">Maximum number of images; null for all.</param>
    /// <param name="sizing">Their target size; null uses the model's own square. The files are squares of 512 pixels.</param>
    /// <exception cref="ImageFileException">They are neither next to the program nor in an enclosing checkout.</exception>
    public static IReadOnlyList<ExperimentImage> Photographs(SizeRule sizes, int? count = null, ImageSizing? sizing = null) =>
        FromFolder(PhotographFolder(), sizes, count, sizing);

    /// <summary>The folder of the photographs that ship with the library.</summary>
    /// <exception cref="ImageFileException">It is neither next to the program nor in an enclosing checkout.</exception>
    public static string PhotographFolder()
    {
        string[] beside =
        [
            .. ((string[])[AppContext.BaseDirectory, Path.GetDirectoryName(typeof(ExperimentImages).Assembly.Location) ?? ""])
                .Where(f => f.Length > 0)
                .Select(f => Path.Combine(Path.TrimEndingDirectorySeparator(f), "images", "photos"))
                .Distinct(),
        ];
        List<string> looked = [.. beside];
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
            looked.Add(Path.Combine(at.FullName, "data", "images", "photos"));
        return looked.Find(Directory.Exists)
            ?? throw new ImageFileException(
                beside[0],
                "the photographs that ship with the library are neither there nor in data/images/photos of a parent folder; name a folder of images"
            );
    }

    /// <summary>Side of rendered scenes, which are square.</summary>
    /// <param name="sizes">The sizes that the model accepts.</param>
    /// <param name="sizing">The requested size; null uses the model's own square.</param>
    /// <exception cref="ArgumentException">The size is not square, or the model does not accept it.</exception>
    public static int ToySide(SizeRule sizes, ImageSizing? sizing = null)
    {
        PixelSize size = (sizing ?? ImageSizing.Own).For(sizes.OwnSide, sizes);
        return size.Width == size.Height ? size.Width : throw new ArgumentException($"rendered scenes are square; choose a square size, not {size} pixels.");
    }

    /// <summary>
    /// Reads a folder: either one that <see cref="ToyImageSet"/> wrote, or images, each with a text file of the same name next to it, as
    /// <see cref="TextBeside"/> reads it.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="sizes">The sizes that the model accepts.</param>
    /// <param name="count">Maximum number of images, in the order of their names; null for all.</param>
    /// <param name="sizing">Target size of each image; null crops to the model's own square.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="ImageFileException">It holds no image, an image cannot be read or lacks its caption.</exception>
    public static IReadOnlyList<ExperimentImage> FromFolder(string folder, SizeRule sizes, int? count = null, ImageSizing? sizing = null)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"There is no image folder '{folder}'.");
        sizing ??= ImageSizing.Own;
        ImagePreparation preparation = new();
        if (File.Exists(Path.Combine(folder, ToyImageSet.ListName)))
        {
            using SceneRenderer renderer = new();
            return
            [
                .. ToyImageSet
                    .Read(folder)
                    .Take(count ?? int.MaxValue)
                    .Select(t =>
                    {
                        RgbImage image = preparation.Apply(ImageFile.Load(Path.Combine(folder, t.File)), sizing, sizes);
                        // The true results of edits are rendered, and scenes are square.
                        if (image.Width != image.Height)
                            throw new ArgumentException(
                                $"'{folder}' holds rendered scenes, which are square; choose a square size, not {PixelSize.Of(image)} pixels."
                            );
                        return FromScene(renderer, Path.GetFileNameWithoutExtension(t.File), t.Scene, image.Width, image);
                    }),
            ];
        }
        string[] files =
        [
            .. Directory
                .GetFiles(folder)
                .Where(f => Extensions.Contains(Path.GetExtension(f).ToLowerInvariant()))
                .Order(StringComparer.Ordinal)
                .Take(count ?? int.MaxValue),
        ];
        if (files.Length == 0)
            throw new ImageFileException(folder, $"the folder holds no image ({string.Join(", ", Extensions)})");
        return
        [
            .. files.Select(file =>
            {
                string text = TextFileOf(file);
                if (!File.Exists(text))
                    throw new ImageFileException(
                        file,
                        $"it has no caption; write one into '{Path.GetFileName(text)}' next to it (further lines: prompts of edited versions)"
                    );
                (string caption, IReadOnlyList<PlannedEdit> edits) = Read(text);
                return new ExperimentImage(Path.GetFileNameWithoutExtension(file), preparation.Apply(ImageFile.Load(file), sizing, sizes), caption)
                {
                    Edits = edits,
                };
            }),
        ];
    }

    /// <summary>
    /// Reads the text file with the image's name next to it: the caption in the first line, then a prompt of an edited version in each further line. A trailing
    /// <c>| word</c> names the word (of either prompt) to whose region the edit is confined.
    /// </summary>
    /// <param name="image">Path of the image.</param>
    /// <returns>Caption and edits; null if there is no such file.</returns>
    /// <exception cref="ImageFileException">The file is empty, or a line names a word that cannot be located in both prompts.</exception>
    public static (string Caption, IReadOnlyList<PlannedEdit> Edits)? TextBeside(string image) =>
        File.Exists(TextFileOf(image)) ? Read(TextFileOf(image)) : null;

    private static string TextFileOf(string image) => Path.ChangeExtension(image, ".txt");

    private static (string Caption, IReadOnlyList<PlannedEdit> Edits) Read(string text)
    {
        string[] lines = [.. File.ReadAllLines(text, Encoding.UTF8).Select(l => l.Trim()).Where(l => l.Length > 0)];
        if (lines.Length == 0)
            throw new ImageFileException(text, "it is empty; its first line must be the caption");
        return (lines[0], [.. lines.Skip(1).Select(l => Planned(text, lines[0], l))]);
    }

    private static PlannedEdit Planned(string file, string caption, string line)
    {
        int bar = line.LastIndexOf('|');
        string prompt = (bar < 0 ? line : line[..bar]).Trim();
        if (bar < 0)
            return new PlannedEdit(prompt, prompt);
        string word = line[(bar + 1)..].Trim();
        string[] source = Words(caption),
            target = Words(prompt);
        // The word itself if both prompts have it, otherwise the word at its position.
        int inSource = Array.IndexOf(source, word),
            inTarget = Array.IndexOf(target, word);
        bool aligned = source.Length == target.Length;
        return (inSource, inTarget) switch
        {
            (>= 0, >= 0) => Edit(word, word),
            (>= 0, < 0) when aligned => Edit(word, target[inSource]),
            (< 0, >= 0) when aligned => Edit(source[inTarget], word),
            _ => throw new ImageFileException(
                file,
                $"the word '{word}' after the bar in \"{line}\" "
                    + $"{(inSource + inTarget == -2 ? "is in neither prompt" : "is in one prompt only, and they have different word counts")}"
            ),
        };

        PlannedEdit Edit(string from, string to) => new(prompt, prompt) { SourceBlendWord = from, TargetBlendWord = to };

        static string[] Words(string text) => text.Split([' ', ',', '.', ';', ':', '!', '?'], StringSplitOptions.RemoveEmptyEntries);
    }

    private static ExperimentImage FromScene(SceneRenderer renderer, string name, SceneDescription scene, int size, RgbImage? given) =>
        new(name, given ?? Render(renderer, scene, size), scene.Caption)
        {
            Scene = scene,
            Edits =
            [
                .. SuggestedEdits
                    .For(scene)
                    .Select(e => e.Plan(scene))
                    .Select(plan => new PlannedEdit(plan.TargetCaption, Label(plan))
                    {
                        SourceBlendWord = plan.TargetBlendWord is null ? null : plan.SourceBlendWord,
                        TargetBlendWord = plan.SourceBlendWord is null ? null : plan.TargetBlendWord,
                        Truth = Render(renderer, plan.Target, size),
                        TargetScene = plan.Target,
                    }),
            ],
        };

    private static string Label(SceneEditPlan plan) =>
        (plan.SourceWords.Count, plan.TargetWords.Count) switch
        {
            (0, _) => "+ " + string.Join(' ', plan.TargetWords),
            (_, 0) => "- " + string.Join(' ', plan.SourceWords),
            _ => $"{string.Join(' ', plan.SourceWords)} > {string.Join(' ', plan.TargetWords)}",
        };

    private static RgbImage Render(SceneRenderer renderer, SceneDescription scene, int size) => new(size, size, renderer.Render(scene, size));
}
