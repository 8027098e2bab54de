using NullTextResearch.Images;
using NullTextResearch.Metrics;
using NullTextResearch.Scenes;

namespace NullTextResearch.Benchmarks;

/// <summary>
/// Edits of held-out toy scenes. Scenes are rendered, so the true result of every edit is known. The kinds of edits take turns: any prefix of the tasks is
/// balanced to within one task per kind. Task i is the same for every count.
/// </summary>
/// <remarks>
/// <para>Scenes are those of <see cref="SceneDomain.Second"/>, held-out seeds <see cref="FirstSeed"/> to <see cref="FirstSeed"/> + 499,999: a thousand
/// candidates per task, of which the first that allows the edit is used. Training and <see cref="Training.ModelEvaluation"/> use none of them.</para>
/// <para>No edit leads to a combination of object, colour and place that training never shows, unless the source already shows it.</para>
/// <para>Re-weighting has no true amount: a factor above 1 asks for more rain or fog, one below 1 for less. <see cref="AmountAt"/> fixes one amount with that
/// order; only the order is meaningful.</para>
/// </remarks>
public sealed class ToyEditDataset : IEditDataset
{
    /// <summary>Number of tasks, at most.</summary>
    public const int MostTasks = 500;

    /// <summary>First seed of the scenes.</summary>
    public const long FirstSeed = 1_000_000;

    /// <summary>Pixels outside a mask differ between picture and truth by at most so many of 255 levels: rounding, and the ends of soft shadows.</summary>
    public const int InvisibleLevels = 2;

    private const int SeedsPerTask = 1_000;

    private const double Stronger = 4,
        Weaker = 0.25;

    private const string Swap = "swap",
        Colour = "colour",
        Background = "background",
        Add = "add",
        Remove = "remove",
        WeatherOrStyle = "weather-or-style",
        Reweight = "re-weight";

    private readonly (EditTask Task, SceneEditPlan Plan)[] _entries;
    private readonly Dictionary<string, int> _indices;
    private readonly Lazy<string>[] _hashes;
    private readonly Lazy<string> _fingerprint;

    /// <summary>Chooses the scenes and their edits; pictures are rendered when they are asked for.</summary>
    /// <param name="count">Number of tasks, 1 to <see cref="MostTasks"/>.</param>
    /// <param name="imageSize">Side of the pictures in pixels, 16 to 2048; it should be the size of the model.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public ToyEditDataset(int count = MostTasks, int imageSize = 64)
    {
        if (count is < 1 or > MostTasks)
            throw new ArgumentOutOfRangeException(nameof(count), count, $"The toy edits are 1 to {MostTasks} tasks.");
        if (imageSize is < SceneRenderer.MinimumSize or > SceneRenderer.MaximumSize)
            throw new ArgumentOutOfRangeException(
                nameof(imageSize),
                imageSize,
                $"Expected a side of {SceneRenderer.MinimumSize} to {SceneRenderer.MaximumSize} pixels."
            );
        ImageSize = imageSize;
        _entries = [.. Enumerable.Range(0, count).Select(Make)];
        Tasks = [.. _entries.Select(e => e.Task)];
        _indices = _entries.Index().ToDictionary(e => e.Item.Task.Id, e => e.Index, StringComparer.Ordinal);
        _hashes = [.. _entries.Select(e => new Lazy<string>(() => FingerprintWriter.Of(Render(e.Plan.Source))))];
        _fingerprint = new Lazy<string>(ComputeFingerprint);
    }

    /// <summary>The kinds of edits, in the order in which they take turns.</summary>
    public static IReadOnlyList<string> Kinds { get; } = [Swap, Colour, Background, Add, Remove, WeatherOrStyle, Reweight];

    /// <inheritdoc/>
    public string Name => "toy-edit";

    /// <summary>Side of the pictures in pixels.</summary>
    public int ImageSize { get; }

    /// <summary>
    /// Hash of tasks, pictures, masks and truths, in hexadecimal. It is computed from pixels, on first use: renderings may differ between machines. All
    /// pictures are rendered for it, which takes seconds at 64 pixels.
    /// </summary>
    public string Fingerprint => _fingerprint.Value;

    /// <inheritdoc/>
    public IReadOnlyList<EditTask> Tasks { get; }

    /// <summary>The amount of rain or fog that stands for a re-weighted word; rises with the factor, and is the old amount at 1.</summary>
    /// <param name="amount">The amount before, 0 to 1.</param>
    /// <param name="factor">The factor of the word; everything below 0 counts as 0.</param>
    /// <returns>0 to 1: the old amount times the factor below 1; above 1, the distance to the largest amount is divided by the factor.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The amount is out of range, or the factor is not a number.</exception>
    public static double AmountAt(double amount, double factor)
    {
        if (amount is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(amount), amount, "Expected an amount of weather of 0 to 1.");
        if (double.IsNaN(factor))
            throw new ArgumentOutOfRangeException(nameof(factor), factor, "Expected a number.");
        return factor <= 1 ? amount * Math.Max(0, factor) : 1 - ((1 - amount) / factor);
    }

    /// <summary>The scenes before and after an edit.</summary>
    /// <param name="task">One of <see cref="Tasks"/>.</param>
    /// <exception cref="ArgumentException">It is not a task of this data set.</exception>
    public SceneEditPlan Plan(EditTask task) => _entries[IndexOf(task)].Plan;

    /// <summary>Whether this data set has a task of this name.</summary>
    /// <param name="task">Any task.</param>
    public bool Has(EditTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return _indices.ContainsKey(task.Id);
    }

    /// <inheritdoc/>
    public string PictureHash(EditTask task) => _hashes[IndexOf(task)].Value;

    /// <inheritdoc/>
    public RgbImage Picture(EditTask task) => Render(Plan(task).Source);

    /// <summary>
    /// Where the edit may change the picture: everything that its object touches before or after, or for a new background everything except the objects; and
    /// whatever else differs between picture and truth, such as shadows and pencil lines. Null for weather, style and re-weighting, which change everything.
    /// </summary>
    /// <param name="task">One of <see cref="Tasks"/>.</param>
    /// <exception cref="ArgumentException">It is not a task of this data set.</exception>
    public RegionMask? Mask(EditTask task)
    {
        SceneEditPlan plan = Plan(task);
        // Night darkens the objects too.
        if (plan.Edit.IsEverywhere || plan.Edit is NightFall)
            return null;
        using SceneRenderer renderer = new();
        byte[] touched = renderer.EditMask(plan, ImageSize),
            before = renderer.Render(plan.Source, ImageSize),
            after = renderer.Render(plan.Target, ImageSize);
        bool[] inside = new bool[touched.Length];
        for (int i = 0; i < before.Length; i++)
            inside[i / 3] |= touched[i / 3] != 0 || Math.Abs(before[i] - after[i]) > InvisibleLevels;
        RegionMask mask = new(ImageSize, ImageSize, inside);
        return mask.Count == inside.Length ? null : mask;
    }

    /// <inheritdoc/>
    public RgbImage? Truth(EditTask task) => Render(Plan(task).Target);

    private static (EditTask Task, SceneEditPlan Plan) Make(int index)
    {
        string kind = Kinds[index % Kinds.Count];
        int turn = index / Kinds.Count;
        long first = FirstSeed + ((long)SeedsPerTask * index);
        for (long seed = first; seed < first + SeedsPerTask; seed++)
        {
            SceneDescription scene = ToyScenes.Sample(seed, SceneSplit.HeldOut, SceneDomain.Second.Scenes);
            (SceneEdit? edit, double? factor) = EditOf(kind, turn, scene, new SceneRandom(seed));
            if (edit is null)
                continue;
            SceneEditPlan plan = edit.Plan(scene);
            EditTask task = new()
            {
                Id = $"{index:D3}-{kind}",
                Kind = kind,
                SourcePrompt = plan.SourceCaption,
                TargetPrompt = plan.TargetCaption,
                BlendWords = [.. new[] { plan.SourceBlendWord, plan.TargetBlendWord }.OfType<string>().Distinct()],
                Weights = factor is { } f ? new Dictionary<string, double> { [CaptionWord(scene.Weather)] = f } : new Dictionary<string, double>(),
            };
            return (task, plan);
        }
        throw new InvalidOperationException($"None of {SeedsPerTask} scenes allows the edit '{kind}': the domain of scenes has changed.");
    }

    private static (SceneEdit? Edit, double? Factor) EditOf(string kind, int turn, SceneDescription scene, SceneRandom random)
    {
        int any = random.Index(scene.Objects.Count);
        switch (kind)
        {
            case Swap:
                SceneObjectKind old = scene.Objects[any].Kind;
                return (Choose(ToyScenes.Kinds.Where(k => SuggestedEdits.SameSort(k, old)).Select(k => new ObjectSwap(any, k))), null);
            case Colour:
                int[] coloured = [.. scene.Objects.Index().Where(o => o.Item.Colour is not null).Select(o => o.Index)];
                if (coloured.Length == 0)
                    return (null, null);
                int chosen = random.Pick(coloured);
                return (Choose(ToyScenes.Colours.Select(c => new ColourChange(chosen, c))), null);
            case Background:
                return (Choose(ToyScenes.Backgrounds.Select(b => new BackgroundChange(b))), null);
            case Add:
                // In training, objects that share a scene have the normal size.
                return scene.Objects[0].Size != SceneSize.Normal
                    ? (null, null)
                    : (Choose(ToyScenes.Kinds.Select(k => new AddObject(k, ToyScenes.IsColourable(k) ? random.Pick(ToyScenes.Colours) : null))), null);
            case Remove:
                return (Choose([new RemoveObject(any)]), null);
            case WeatherOrStyle:
                bool plain = scene is { Night: false, Weather: SceneWeather.Clear, Style: SceneStyle.Painted };
                SceneEdit[] four =
                [
                    new StyleChange(SceneStyle.Drawing),
                    new WeatherChange(SceneWeather.Rain),
                    new WeatherChange(SceneWeather.Fog),
                    new NightFall(),
                ];
                return plain ? (Choose([four[turn % four.Length]]), null) : (null, null);
            case Reweight:
                // Rain and fog take turns, and so do more and less. Only little rain becomes much and the reverse: a small change is less than what an
                // autoencoder loses, so no edit could be told from none.
                SceneWeather wanted = turn % 2 == 0 ? SceneWeather.Rain : SceneWeather.Fog;
                bool more = turn / 2 % 2 == 0;
                if (scene.Weather != wanted || (more ? scene.WeatherAmount > 0.35 : scene.WeatherAmount < 0.65))
                    return (null, null);
                double factor = more ? Stronger : Weaker;
                return (Choose([new WeatherAmountChange(AmountAt(scene.WeatherAmount, factor))]), factor);
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, $"Expected one of: {string.Join(", ", Kinds)}.");
        }

        SceneEdit? Choose(IEnumerable<SceneEdit> candidates) => SuggestedEdits.Choose(scene, random, candidates);
    }

    /// <summary>The word of a weather in captions.</summary>
    private static string CaptionWord(SceneWeather weather) => weather.ToString().ToLowerInvariant();

    private int IndexOf(EditTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return _indices.TryGetValue(task.Id, out int index)
            ? index
            : throw new ArgumentException(
                $"'{task.Id}' is not a task of this data set, which has {Tasks.Count} tasks from '{Tasks[0].Id}' to '{Tasks[^1].Id}'.",
                nameof(task)
            );
    }

    // A renderer is not thread-safe and costs little to create, so each picture has its own: concurrent reads need no lock.
    private RgbImage Render(SceneDescription scene)
    {
        using SceneRenderer renderer = new();
        return new RgbImage(ImageSize, ImageSize, renderer.Render(scene, ImageSize));
    }

    private string ComputeFingerprint()
    {
        using FingerprintWriter writer = new();
        writer.Add("toy-edit/1").Add(ImageSize).Add(Tasks.Count);
        foreach (EditTask task in Tasks)
        {
            writer.Add(task).Add(PictureHash(task)).Add(FingerprintWriter.Of(Truth(task)!));
            RegionMask? mask = Mask(task);
            if (mask is null)
                writer.Add("everything");
            else
                writer.Add(mask);
        }
        return writer.Done();
    }
}
