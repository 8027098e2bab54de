using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using NullTextResearch.Images;
using NullTextResearch.Metrics;
using NullTextResearch.Text;

namespace NullTextResearch.Benchmarks;

/// <summary>
/// PIE-Bench (Ju et al. 2024), or any data set in its layout: <c>mapping_file.json</c>, an object with one member per edit, and the pictures in
/// <c>annotation_images/</c>. The data set is not shipped; its authors give it out. Nobody knows the true results.
/// </summary>
/// <remarks>
/// <para>A member is named by the edit's id and has <c>image_path</c>, <c>original_prompt</c>, <c>editing_prompt</c>, <c>editing_type_id</c> ("0" to "9"),
/// <c>blended_word</c> (words separated by blanks, may be empty) and <c>mask</c> (starts and lengths of runs). Others, such as
/// <c>editing_instruction</c>, are not used.</para>
/// <para>As in the authors' code, the brackets around the difference of two prompts are removed, runs are clipped at the end of the picture, and the outermost
/// pixels belong to every mask.</para>
/// <para>Everything but the pictures is checked on creation; a picture is decoded when it is asked for.</para>
/// </remarks>
public sealed class PieDataset : IEditDataset
{
    /// <summary>Side of the published pictures, and of the grid on which masks lie.</summary>
    public const int PublishedSide = 512;

    private const string MappingName = "mapping_file.json",
        PicturesName = "annotation_images";

    // The runs of 700 masks of 512 x 512 pixels are more numbers than most JSON files have values.
    private const int MostMappingBytes = 256 << 20,
        MostMappingValues = 20_000_000;

    private const int MostShown = 5,
        MostSide = 8192;

    private readonly string _mapping;
    private readonly Entry[] _entries;
    private readonly Dictionary<string, Entry> _byId;
    private readonly ConcurrentDictionary<string, string> _hashes = new(StringComparer.Ordinal);
    private readonly Lazy<string> _fingerprint;

    /// <summary>Reads the mapping and checks that every picture is there.</summary>
    /// <param name="folder">The folder with <c>mapping_file.json</c> and <c>annotation_images/</c>.</param>
    /// <param name="side">Side of the square pictures and of the grid of the masks, in pixels, 1 to 8192; 512 as published.</param>
    /// <exception cref="ArgumentOutOfRangeException">The side is out of range.</exception>
    /// <exception cref="UnreadableFileException">
    /// The mapping is missing or damaged, has a member of a wrong type (the message gives its place), an unknown kind of edit or a mask beyond the grid, or
    /// pictures are missing.
    /// </exception>
    public PieDataset(string folder, int side = PublishedSide)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentOutOfRangeException.ThrowIfLessThan(side, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(side, MostSide);
        (Folder, Side) = (folder, side);
        _mapping = Path.Combine(folder, MappingName);
        _entries = Read();
        Tasks = [.. _entries.Select(e => e.Task)];
        _byId = _entries.ToDictionary(e => e.Task.Id, StringComparer.Ordinal);
        UnmatchedBlendWords = _entries.Where(e => e.Unmatched.Count > 0).ToDictionary(e => e.Task.Id, e => e.Unmatched, StringComparer.Ordinal);
        RequirePictures();
        _fingerprint = new Lazy<string>(ComputeFingerprint);
    }

    /// <summary>
    /// The ten kinds of edits, by their published ids 0 to 9: id 0 is a random mixture, and the names are those of the published folders without the number of
    /// pictures.
    /// </summary>
    public static IReadOnlyList<string> Kinds { get; } =
    [
        "0_random",
        "1_change_object",
        "2_add_object",
        "3_delete_object",
        "4_change_attribute_content",
        "5_change_attribute_pose",
        "6_change_attribute_color",
        "7_change_attribute_material",
        "8_change_background",
        "9_change_style",
    ];

    /// <inheritdoc/>
    public string Name => "pie";

    /// <summary>The folder that it was read from.</summary>
    public string Folder { get; }

    /// <summary>Side of pictures and masks in pixels.</summary>
    public int Side { get; }

    /// <summary>
    /// Hash of the mapping, the side, and the bytes of every picture's file, in hexadecimal. The files are read in blocks, on first use.
    /// </summary>
    /// <exception cref="UnreadableFileException">A file cannot be read.</exception>
    public string Fingerprint => _fingerprint.Value;

    /// <summary>All tasks, in the order of the mapping.</summary>
    public IReadOnlyList<EditTask> Tasks { get; }

    /// <summary>
    /// Words of <c>blended_word</c> that are in neither prompt, by id. They are left out of <see cref="EditTask.BlendWords"/>; the authors' code ignores them
    /// too.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> UnmatchedBlendWords { get; }

    /// <inheritdoc/>
    /// <exception cref="ImageFileException">The picture cannot be decoded.</exception>
    public string PictureHash(EditTask task) =>
        // Two threads may compute the same hash; both get the same.
        _hashes.GetOrAdd(Find(task).Path, _ => FingerprintWriter.Of(Picture(task)));

    /// <inheritdoc/>
    /// <exception cref="ImageFileException">The picture cannot be decoded, or has another size.</exception>
    public RgbImage Picture(EditTask task)
    {
        string path = Find(task).Path;
        RgbImage picture = ImageFile.Load(path);
        return picture.Width == Side && picture.Height == Side
            ? picture
            : throw new ImageFileException(
                path,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"it has {picture.Width} x {picture.Height} pixels, but the masks of this data set lie on a grid of {Side} x {Side}; replace the "
                        + $"picture by the original one, or open the data set with the side of its pictures"
                )
            );
    }

    /// <summary>
    /// Where the edit may change the picture, the outermost pixels included; null if that is everywhere, as for a style. The published scores of the kept
    /// region leave out such edits.
    /// </summary>
    /// <param name="task">One of <see cref="Tasks"/>.</param>
    /// <exception cref="ArgumentException">It is not a task of this data set.</exception>
    public RegionMask? Mask(EditTask task)
    {
        RegionMask mask = RegionMask.FromRuns(Find(task).Runs, Side, Side, frame: true);
        return mask.Count == Side * Side ? null : mask;
    }

    /// <summary>Always null: nobody knows the true result.</summary>
    /// <param name="task">One of <see cref="Tasks"/>.</param>
    public RgbImage? Truth(EditTask task)
    {
        Find(task);
        return null;
    }

    private Entry Find(EditTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return _byId.TryGetValue(task.Id, out Entry? entry)
            ? entry
            : throw new ArgumentException($"'{task.Id}' is not one of the {Tasks.Count} tasks of {_mapping}.", nameof(task));
    }

    private string ComputeFingerprint()
    {
        using FingerprintWriter writer = new();
        writer.Add("pie/1").Add(Side).AddFile(_mapping);
        foreach (string path in _entries.Select(e => e.Path).Distinct(StringComparer.Ordinal))
            writer.AddFile(path);
        return writer.Done();
    }

    private void RequirePictures()
    {
        string[] missing = [.. _entries.Where(e => RegularFile.ProblemOf(e.Path) is not null).Select(e => e.RelativePath).Distinct(StringComparer.Ordinal)];
        if (missing.Length == 0)
            return;
        string more = missing.Length > MostShown ? $" and {missing.Length - MostShown} more" : "";
        throw new UnreadableFileException(
            _mapping,
            $"names {missing.Length} picture{(missing.Length == 1 ? "" : "s")} that cannot be read in {Path.Combine(Folder, PicturesName)}: "
                + $"{string.Join(", ", missing.Take(MostShown).Select(m => Excerpt.Of(m)))}{more}; unpack the whole data set there"
        );
    }

    private Entry[] Read()
    {
        if (!File.Exists(_mapping))
            throw new UnreadableFileException(
                _mapping,
                $"is missing: give the folder that has {MappingName} and {PicturesName}/ as PIE-Bench's archive unpacks them"
            );
        JsonElement root;
        try
        {
            root = StrictJson.ReadLargeFile(_mapping, MostMappingBytes, MostMappingValues);
        }
        catch (JsonException e)
        {
            throw new UnreadableFileException(
                _mapping,
                $"is not a valid mapping: {e.Message.TrimEnd('.')}. Every edit needs its own id; get the file again",
                e
            );
        }

        if (root.ValueKind != JsonValueKind.Object)
            throw Bad("$", $"expected an object with one member per edit, got {Type(root)}");
        HashSet<string> ids = new(StringComparer.OrdinalIgnoreCase);
        List<Entry> entries = [];
        foreach (JsonProperty member in root.EnumerateObject())
        {
            string at = $"$['{Excerpt.Of(member.Name)}']";
            if (member.Name.Length == 0 || !member.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
                throw Bad(at, "an id may have letters, digits, '-' and '_' only, because files are named after it: rename it");
            if (!ids.Add(member.Name))
                throw Bad(at, "another id differs from this one in upper and lower case only, and files are named after both: rename one");
            entries.Add(ReadEntry(member.Name, member.Value, at));
        }

        return entries.Count > 0 ? [.. entries] : throw Bad("$", "there is no edit in it");
    }

    private Entry ReadEntry(string id, JsonElement item, string at)
    {
        if (item.ValueKind != JsonValueKind.Object)
            throw Bad(at, $"expected an object, got {Type(item)}");
        string source = Prompt(item, "original_prompt", at),
            target = Prompt(item, "editing_prompt", at),
            relative = Text(item, "image_path", at);
        string[] parts = relative.Split('/');
        if (Path.IsPathRooted(relative) || relative.Contains('\\', StringComparison.Ordinal) || parts.Any(p => p is "" or "." or ".."))
            throw Bad($"{at}.image_path", $"'{Excerpt.Of(relative)}' is not a path inside {PicturesName}/ with '/' between folders");
        string[] words = Text(item, "blended_word", at).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        ILookup<bool, string> found = words.Distinct(StringComparer.Ordinal).ToLookup(w => Has(source, w) || Has(target, w));
        return new Entry(
            new EditTask
            {
                Id = id,
                Kind = KindOf(item, at),
                SourcePrompt = source,
                TargetPrompt = target,
                BlendWords = [.. found[true]],
                // A single word, which the published mapping does not have, stands for both.
                BlendPair = words.Length == 0 ? [] : [words[0], words.Length > 1 ? words[1] : words[0]],
            },
            relative,
            Path.Combine([Folder, PicturesName, .. parts]),
            Runs(item, at),
            [.. found[false]]
        );

        static bool Has(string prompt, string word) => PromptWords.Find(prompt.Split(' '), word).Count > 0;
    }

    private string KindOf(JsonElement item, string at)
    {
        JsonElement value = Member(item, "editing_type_id", at);
        string text = value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number => value.GetRawText(),
            _ => throw Bad($"{at}.editing_type_id", $"expected a text, got {Type(value)}"),
        };
        return text is [>= '0' and <= '9']
            ? Kinds[text[0] - '0']
            : throw Bad($"{at}.editing_type_id", $"'{Excerpt.Of(text)}' is no kind of edit: expected \"0\" to \"9\" ({string.Join(", ", Kinds)})");
    }

    private int[] Runs(JsonElement item, string at)
    {
        JsonElement mask = Member(item, "mask", at);
        if (mask.ValueKind != JsonValueKind.Array)
            throw Bad($"{at}.mask", $"expected an array of starts and lengths of runs, got {Type(mask)}");
        int count = mask.GetArrayLength(),
            pixels = Side * Side,
            index = 0;
        if (count % 2 != 0)
            throw Bad($"{at}.mask", $"expected pairs of start and length, got {count} numbers");
        int[] runs = new int[count];
        foreach (JsonElement number in mask.EnumerateArray())
        {
            string place = $"{at}.mask[{index}]";
            if (number.ValueKind != JsonValueKind.Number || !number.TryGetInt32(out int value))
                throw Bad(place, $"expected a whole number, got {(number.ValueKind == JsonValueKind.Number ? Excerpt.Of(number.GetRawText()) : Type(number))}");
            if (value < 0)
                throw Bad(place, $"the number is {value}; starts and lengths are 0 or more");
            if (index % 2 == 0 && value >= pixels)
                throw Bad(
                    place,
                    $"a run starts at {value}, but a grid of {Side} x {Side} ends at {pixels - 1}: open the data set with the side of its pictures"
                );
            runs[index++] = value;
        }

        return runs;
    }

    // The brackets mark the difference for human readers. A runner that leaves them in gives the model another prompt, and gets other scores.
    private string Prompt(JsonElement item, string name, string at) =>
        Text(item, name, at).Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);

    private string Text(JsonElement item, string name, string at)
    {
        JsonElement value = Member(item, name, at);
        return value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Bad($"{at}.{name}", $"expected a text, got {Type(value)}");
    }

    private JsonElement Member(JsonElement item, string name, string at) =>
        item.TryGetProperty(name, out JsonElement value) ? value : throw Bad(at, $"the member '{name}' is missing");

    private UnreadableFileException Bad(string at, string what) => new(_mapping, $"is not a mapping of edits, at {at}: {what}");

    private static string Type(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "an array",
            JsonValueKind.String => "a text",
            JsonValueKind.Number => "a number",
            JsonValueKind.Null => "null",
            _ => "true or false",
        };

    private sealed record Entry(EditTask Task, string RelativePath, string Path, int[] Runs, IReadOnlyList<string> Unmatched);
}
