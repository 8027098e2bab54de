using System.Text.Json;
using System.Text.Json.Serialization;
using SkiaSharp;

namespace NullTextResearch.Scenes;

/// <summary>The "real images" of the default experiments: a balanced mix of held-out scenes, each with a suggested edit.</summary>
public static class ToyImageSet
{
    /// <summary>Name of the list inside the folder.</summary>
    public const string ListName = "toy.json";

    /// <summary>Number of images in the shipped set: two of every kind, three of every background.</summary>
    public const int ShippedCount = 24;

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    // Null values are not written, so parameters may be missing.
    private static readonly JsonSerializerOptions StrictReading = new(StoredJson.Strict(Indented)) { RespectRequiredConstructorParameters = false };

    /// <summary>
    /// Chooses held-out scenes with kinds and backgrounds spread as evenly as possible, and their suggested edits: in turn word swaps of objects, colours and
    /// backgrounds, sizes, nightfall and second objects. The list is always the same.
    /// </summary>
    /// <param name="count">Number of images, at least 1. A longer list does not necessarily begin with a shorter one.</param>
    public static IReadOnlyList<ToyImage> Choose(int count = ShippedCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        int perKind = Ceiling(count, ToyScenes.Kinds.Count),
            perBackground = Ceiling(count, ToyScenes.Backgrounds.Count);
        int[] kinds = new int[ToyScenes.Kinds.Count];
        int[] backgrounds = new int[ToyScenes.Backgrounds.Count];
        List<ToyImage> images = new List<ToyImage>(count);
        for (long seed = 0; images.Count < count; seed++)
        {
            SceneDescription scene = ToyScenes.Sample(seed, SceneSplit.HeldOut);
            SceneObjectKind kind = scene.Objects[0].Kind;
            if (kinds[(int)kind] >= perKind || backgrounds[(int)scene.Background] >= perBackground)
                continue;
            kinds[(int)kind]++;
            backgrounds[(int)scene.Background]++;
            string file = $"{images.Count + 1:00}-{CaptionGrammar.Noun(kind)}-{CaptionGrammar.Noun(scene.Background)}.png";
            images.Add(new ToyImage(file, seed, Suggest(scene, images.Count).Plan(scene)));
        }
        return images;
    }

    /// <summary>Renders the set into a folder: one PNG per scene and the list that names caption, seed and edit of each.</summary>
    /// <param name="folder">Created if missing; files of the same names are replaced, others stay.</param>
    /// <param name="size">Width and height of the images in pixels: the model's native size.</param>
    /// <param name="count">Number of images.</param>
    /// <returns>The images written.</returns>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static IReadOnlyList<ToyImage> Write(string folder, int size, int count = ShippedCount)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        IReadOnlyList<ToyImage> images = Choose(count);
        Directory.CreateDirectory(folder);
        using SceneRenderer renderer = new SceneRenderer();
        foreach (ToyImage image in images)
            File.WriteAllBytes(Path.Combine(folder, image.File), EncodePng(renderer.Render(image.Scene, size), size));
        ImageList list = new ImageList(size, [.. images.Select(ImageEntry.From)]);
        File.WriteAllText(Path.Combine(folder, ListName), JsonSerializer.Serialize(list, Indented) + "\n");
        return images;
    }

    /// <summary>Reads the list of a folder and recreates its scenes and edits from their seeds.</summary>
    /// <param name="folder">A folder that <see cref="Write"/> filled.</param>
    /// <returns>The images, in the order of the list; the PNG files are not opened.</returns>
    /// <exception cref="FileNotFoundException">There is no list.</exception>
    /// <exception cref="InvalidDataException">The list is malformed or was written for other scenes.</exception>
    public static IReadOnlyList<ToyImage> Read(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string path = Path.Combine(folder, ListName);
        if (!File.Exists(path))
            throw new FileNotFoundException(
                $"There is no list of toy images at '{path}'. Write the set again, or pass the folder that holds {ListName}.",
                path
            );
        ImageList list;
        try
        {
            list = StoredJson.Read<ImageList>(File.ReadAllBytes(path), StrictReading);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{path}' is not a list of toy images: {e.Message}", e);
        }
        if (list.Images is null || list.Images.Any(entry => entry?.Edit is null))
            throw new InvalidDataException($"'{path}' is not a list of toy images: it has no 'images', or one of them has no 'edit'.");
        return [.. list.Images.Select((entry, i) => entry.ToImage(path, i))];
    }

    /// <summary>Encodes RGB bytes as PNG.</summary>
    /// <param name="rgb">Bytes [size, size, 3].</param>
    /// <param name="size">Width and height in pixels.</param>
    internal static byte[] EncodePng(ReadOnlySpan<byte> rgb, int size)
    {
        byte[] rgba = new byte[size * size * 4];
        for (int i = 0, j = 0; i < rgba.Length; i += 4, j += 3)
        {
            rgba[i] = rgb[j];
            rgba[i + 1] = rgb[j + 1];
            rgba[i + 2] = rgb[j + 2];
            rgba[i + 3] = 255;
        }
        using SKImage image = SKImage.FromPixelCopy(new SKImageInfo(size, size, SKColorType.Rgba8888, SKAlphaType.Opaque), rgba);
        using SKData data = image.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    private static int Ceiling(int a, int b) => (a + b - 1) / b;

    private static SceneEdit Suggest(SceneDescription scene, int number)
    {
        IReadOnlyList<SceneEdit> edits = SuggestedEdits.For(scene);
        // A colour change if possible; otherwise mostly word swaps, and occasionally every other kind of edit.
        if (edits.OfType<ColourChange>().FirstOrDefault() is { } colour && number % 3 != 0)
            return colour;
        Type[] turn =
        [
            typeof(ObjectSwap),
            typeof(BackgroundChange),
            typeof(ObjectSwap),
            typeof(NightFall),
            typeof(BackgroundChange),
            typeof(AddObject),
            typeof(ObjectSwap),
            typeof(SizeChange),
        ];
        return edits.FirstOrDefault(e => e.GetType() == turn[number % turn.Length]) ?? edits[0];
    }

    private sealed record ImageList(int Size, IReadOnlyList<ImageEntry> Images);

    private sealed record ImageEntry(string File, string Caption, long Seed, EditEntry Edit)
    {
        public static ImageEntry From(ToyImage image) => new(image.File, image.Caption, image.Seed, EditEntry.From(image.Plan));

        public ToyImage ToImage(string path, int number)
        {
            string where = $"'{path}', image {number + 1} ('{File}')";
            SceneDescription scene = ToyScenes.Sample(Seed, SceneSplit.HeldOut);
            if (scene.Caption != Caption)
                throw new InvalidDataException(
                    $"{where}: seed {Seed} now means '{scene.Caption}', not '{Caption}'. The scenes have changed since: write the set again."
                );
            SceneEdit edit = Edit.ToEdit(where);
            if (edit.WhyNot(scene) is { } reason)
                throw new InvalidDataException($"{where}: {reason}");
            SceneEditPlan plan = edit.Plan(scene);
            return plan.TargetCaption == Edit.Prompt
                ? new ToyImage(File, Seed, plan)
                : throw new InvalidDataException($"{where}: the edit means '{plan.TargetCaption}', not '{Edit.Prompt}'. Write the set again.");
        }
    }

    private sealed record EditEntry(
        string Kind,
        string Prompt,
        IReadOnlyList<string> SourceWords,
        IReadOnlyList<string> TargetWords,
        string? SourceBlend,
        string? TargetBlend,
        string Change,
        int? Object,
        string? To,
        string? Colour
    )
    {
        public static EditEntry From(SceneEditPlan plan)
        {
            (string? change, string? to, string? colour) = plan.Edit switch
            {
                ObjectSwap e => ("object", Name(e.To), Name(e.Colour)),
                ColourChange e => ("colour", Name(e.To), null),
                SizeChange e => ("size", Name(e.To), null),
                BackgroundChange e => ("background", Name(e.To), null),
                NightFall => ("night", null, null),
                AddObject e => ("add", Name(e.Kind), Name(e.Colour)),
                _ => throw new NotSupportedException($"The list cannot describe the edit '{plan.Edit}'."),
            };
            return new EditEntry(
                plan.Kind == SceneEditKind.WordSwap ? "swap" : "refine",
                plan.TargetCaption,
                plan.SourceWords,
                plan.TargetWords,
                plan.SourceBlendWord,
                plan.TargetBlendWord,
                change,
                plan.Edit is AddObject ? null : plan.Edit.ObjectIndex,
                to,
                colour
            );
        }

        public SceneEdit ToEdit(string where) =>
            Change switch
            {
                "object" => new ObjectSwap(Object ?? 0, Value<SceneObjectKind>(To, where), Colour is null ? null : Value<SceneColour>(Colour, where)),
                "colour" => new ColourChange(Object ?? 0, Value<SceneColour>(To, where)),
                "size" => new SizeChange(Object ?? 0, Value<SceneSize>(To, where)),
                "background" => new BackgroundChange(Value<SceneBackground>(To, where)),
                "night" => new NightFall(),
                "add" => new AddObject(Value<SceneObjectKind>(To, where), Colour is null ? null : Value<SceneColour>(Colour, where)),
                _ => throw new InvalidDataException($"{where}: unknown change '{Change}'; expected object, colour, size, background, night or add."),
            };

        private static string? Name<T>(T? value)
            where T : struct, Enum => value?.ToString().ToLowerInvariant();

        private static string Name<T>(T value)
            where T : struct, Enum => value.ToString().ToLowerInvariant();

        private static T Value<T>(string? text, string where)
            where T : struct, Enum =>
            Enum.GetValues<T>().Where(v => Name(v) == text).Select(v => (T?)v).FirstOrDefault()
            ?? throw new InvalidDataException(
                $"{where}: unknown value '{text}'; expected one of {string.Join(", ", Enum.GetValues<T>().Select(v => Name(v)))}."
            );
    }
}
