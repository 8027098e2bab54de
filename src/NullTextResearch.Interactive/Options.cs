using NullTextResearch.Editing;
using NullTextResearch.Images;
using NullTextResearch.Inversion;

namespace NullTextResearch.Interactive;

/// <summary>How a workbench is opened.</summary>
public sealed record WorkbenchOptions
{
    /// <summary>Where the networks run: <c>cpu</c> (default), <c>cuda</c>, <c>cuda:1</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>
    /// Threads of libtorch while the workbench works; null (default) takes what <c>NULLTEXT_THREADS</c> says, else as many as suit the model (<see
    /// cref="ProcessorThreads"/>).
    /// </summary>
    public int? Threads { get; init; }

    /// <summary>Put plotly.js into the notebook, so that charts are interactive (default: true).</summary>
    public bool LoadPlotly { get; init; } = true;

    /// <summary>
    /// Draw charts also as static pictures, for places that run no scripts; takes a second or two per chart and an installed Chromium, Chrome or
    /// Edge. Holds for the whole notebook (default: true).
    /// </summary>
    public bool StaticCharts { get; init; } = true;

    /// <summary>
    /// Precision of the U-Net and the text encoder: <c>fp32</c> (default), <c>bf16</c> or <c>fp16</c>. Latents, embeddings, losses and the
    /// autoencoder stay float32.
    /// </summary>
    public string Precision { get; init; } = "fp32";

    /// <summary>What may be slower to need less memory; nothing by default.</summary>
    public MemoryOptions Memory { get; init; } = new();

    /// <summary>
    /// What the model's files do not say by themselves: variant, prediction type, vocabulary, progress. Its device, precision and memory settings are
    /// not used. Null for the defaults.
    /// </summary>
    public ModelLoadOptions? Loading { get; init; }

    /// <summary>
    /// Folder where <see cref="Workbench.Experiment{T}"/> and comparisons of methods by name keep results, so that a second run reads them; null
    /// (default) takes one in the system's temporary folder.
    /// </summary>
    public string? CacheFolder { get; init; }
}

/// <summary>The library's ways to invert an image, by name.</summary>
public static class Methods
{
    /// <summary>A method of the catalogue (<see cref="InversionCatalogue"/>; <c>nulltext methods</c> lists it).</summary>
    /// <param name="id">Such as <c>direct</c>.</param>
    /// <param name="innerSteps">N, for methods that optimise (default 10).</param>
    /// <param name="seed">For methods that draw noise.</param>
    /// <param name="path">How the image becomes noise, such as <c>fixed-point</c> (<see cref="PathCatalogue"/>); null for the method's own.</param>
    /// <exception cref="ArgumentException">There is no such method or path, or they do not go together; the message says what there is, or why.</exception>
    public static IInversion Of(string id, int innerSteps = 10, long seed = 0, string? path = null) =>
        InversionCatalogue.Create(id, path, new MethodRequest { InnerSteps = innerSteps, Seed = seed });

    /// <summary>Null-text inversion (the paper's).</summary>
    /// <param name="innerSteps">N, the most updates per step (default 10).</param>
    /// <param name="stopEarly">False runs all updates whatever the loss.</param>
    public static IInversion NullText(int innerSteps = 10, bool stopEarly = true) =>
        new NullTextInversion(NullTextOptions.Default with { InnerSteps = innerSteps, StopEarly = stopEarly });

    /// <summary>DDIM inversion, no optimisation.</summary>
    /// <param name="guidanceScale">w of the inversion itself (default 1).</param>
    public static IInversion Ddim(double guidanceScale = 1) => new DdimInversion(new DdimInversionOptions { GuidanceScale = guidanceScale });

    /// <summary>The prompt in place of the null text; no optimisation.</summary>
    public static IInversion NegativePrompt() => new NegativePromptInversion();

    /// <summary>Latents put back on the pivot after each step; no optimisation.</summary>
    public static IInversion Direct() => new DirectInversion();

    /// <summary>One null-text embedding for all steps.</summary>
    /// <param name="innerSteps">Passes over all steps (default 10).</param>
    public static IInversion GlobalNullText(int innerSteps = 10) => new GlobalNullTextInversion(new GlobalNullTextOptions { InnerSteps = innerSteps });

    /// <summary>Null-text optimisation around a random trajectory.</summary>
    /// <param name="innerSteps">N (default 10).</param>
    /// <param name="seed">Of the trajectory.</param>
    public static IInversion RandomPivot(int innerSteps = 10, long seed = 0) =>
        new RandomPivotInversion(NullTextOptions.Default with { InnerSteps = innerSteps }, seed);

    /// <summary>The prompt's embedding optimised, without a pivot.</summary>
    /// <param name="innerSteps">Iterations per step (default 10).</param>
    /// <param name="seed">Of noise and timesteps.</param>
    public static IInversion Textual(int innerSteps = 10, long seed = 0) =>
        new TextualInversion(new TextualInversionOptions { InnerSteps = innerSteps, Seed = seed });

    /// <summary>The prompt's embedding optimised against the pivot.</summary>
    /// <param name="innerSteps">N (default 10).</param>
    public static IInversion TextualWithPivot(int innerSteps = 10) => new TextualInversionWithPivot(NullTextOptions.Default with { InnerSteps = innerSteps });

    /// <summary>The null-text embedding optimised, without a pivot.</summary>
    /// <param name="innerSteps">Iterations per step (default 10).</param>
    /// <param name="seed">Of noise and timesteps.</param>
    public static IInversion NonPivotal(int innerSteps = 10, long seed = 0) =>
        new NonPivotalInversion(new NonPivotalOptions { InnerSteps = innerSteps, Seed = seed });

    /// <summary>
    /// Those that need no optimisation, and null-text inversion: what <see cref="Workbench.Compare(RgbImage, string, IReadOnlyList{IInversion},
    /// InvertOptions, CancellationToken)"/> takes if told nothing else.
    /// </summary>
    public static IReadOnlyList<IInversion> Usual => [Ddim(), NegativePrompt(), Direct(), NullText()];
}

/// <summary>What a sweep turns: a name, values, and what each does to the options of an edit.</summary>
/// <param name="Name">Name of the slider.</param>
/// <param name="Values">Values, at least one.</param>
/// <param name="Apply">Options with the value in its place.</param>
public sealed record SweepAxis(string Name, IReadOnlyList<double> Values, Func<EditOptions, double, EditOptions> Apply)
{
    /// <summary>What stands before a value beneath its picture, such as <c>w = </c> (default: nothing).</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Value that the slider starts at, where it is one of the values; null (default) takes the guidance scale of the inversion.</summary>
    public double? Start { get; init; }

    /// <summary>
    /// Any numbers, for work of your own: <see cref="Workbench.Explore(string, IReadOnlyList{SweepAxis}, Func{IReadOnlyList{double}, ExplorationWork,
    /// ExplorationPoint}, IReadOnlyList{NamedImage}, int, CancellationToken)"/>. Does nothing to the options of an edit.
    /// </summary>
    /// <param name="name">Name of the slider.</param>
    /// <param name="values">Values, at least one.</param>
    public static SweepAxis Of(string name, params IReadOnlyList<double> values) => new(name, values, (o, _) => o);

    /// <summary>w, the guidance scale.</summary>
    /// <param name="values">Values, such as 1, 2.5, 5, 7.5.</param>
    public static SweepAxis Guidance(params IReadOnlyList<double> values) =>
        new("guidance scale w", values, (o, w) => o with { GuidanceScale = w }) { Prefix = "w = " };

    /// <summary>The factor of one word: a fader.</summary>
    /// <param name="word">A word of the target prompt.</param>
    /// <param name="factors">Values, such as -2, 0, 1, 2, 4.</param>
    public static SweepAxis Word(string word, params IReadOnlyList<double> factors) =>
        new($"factor of \"{word}\"", factors, (o, f) => o with { Weights = new Dictionary<string, double>(o.Weights) { [word] = f } })
        {
            Prefix = "× ",
            Start = 1,
        };

    /// <summary>Share of the steps with injected cross-attention maps.</summary>
    /// <param name="shares">Values from 0 to 1.</param>
    public static SweepAxis CrossReplace(params IReadOnlyList<double> shares) =>
        new("cross-attention until", shares, (o, s) => o with { CrossReplace = s }) { Start = 0.8 };

    /// <summary>Share of the steps with injected self-attention.</summary>
    /// <param name="shares">Values from 0 to 1.</param>
    public static SweepAxis SelfReplace(params IReadOnlyList<double> shares) =>
        new("self-attention until", shares, (o, s) => o with { SelfReplace = s }) { Start = 0.4 };
}
