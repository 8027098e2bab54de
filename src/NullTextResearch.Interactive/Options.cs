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
    /// Folder where <see cref="Workbench.Experiment{T}"/> keeps results, so that a second run reads them; null (default) takes one in the system's
    /// temporary folder.
    /// </summary>
    public string? CacheFolder { get; init; }
}

/// <summary>How an image is inverted. Defaults: null-text inversion as in the released code.</summary>
public sealed record InvertOptions
{
    /// <summary>Null-text inversion with 50 steps, as in the released code.</summary>
    public static InvertOptions Default { get; } = new();

    /// <summary>The method; null (default) takes null-text inversion. <see cref="Methods"/> has the others, and any class of yours will do.</summary>
    public IInversion? Method { get; init; }

    /// <summary>T, DDIM steps, 1 to 999 (default 50).</summary>
    public int Steps { get; init; } = 50;

    /// <summary>w, the guidance scale of the sampling that the inversion prepares (default 7.5).</summary>
    public double GuidanceScale { get; init; } = 7.5;

    /// <summary>What is cut off first, and by which filter pictures are resized; its size is not used. Null (default) cuts nothing off.</summary>
    public ImagePreparation? Crop { get; init; }

    /// <summary>
    /// What size pictures get: <see cref="ImageSizing.Keep"/>, <see cref="ImageSizing.AsIs"/>, <see cref="ImageSizing.Of"/>. Null (default) cuts pictures
    /// to a centred square and resizes them to the model's own; images of the workbench's sets stay as they are.
    /// </summary>
    public ImageSizing? Size { get; init; }
}

/// <summary>The library's ways to invert an image, by name.</summary>
public static class Methods
{
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

/// <summary>How an inverted image is edited. Defaults: the released examples.</summary>
public sealed record EditOptions
{
    /// <summary>Kind of edit; null (default) exchanges words where both prompts have equally many, and refines otherwise.</summary>
    public PromptEdit? Kind { get; init; }

    /// <summary>Factors of words of the target prompt: 1 changes nothing, more strengthens, less weakens, negative turns against it.</summary>
    public IReadOnlyDictionary<string, double> Weights { get; init; } = new Dictionary<string, double>();

    /// <summary>Words (of either prompt) that the edit is confined to; empty (default) lets the whole picture change.</summary>
    public IReadOnlyList<string> Blend { get; init; } = [];

    /// <summary>Attention above this share of its maximum belongs to the place of those words, 0 to 1 (default 0.3).</summary>
    public double BlendThreshold { get; init; } = 0.3;

    /// <summary>Share of the steps with injected cross-attention maps, 0 to 1 (default 0.8).</summary>
    public double CrossReplace { get; init; } = 0.8;

    /// <summary>Share of the steps with injected self-attention, 0 to 1 (default 0.4).</summary>
    public double SelfReplace { get; init; } = 0.4;

    /// <summary>w; null (default) takes the inversion's.</summary>
    public double? GuidanceScale { get; init; }
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
