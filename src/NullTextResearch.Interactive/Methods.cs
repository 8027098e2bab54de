using NullTextResearch.Images;
using NullTextResearch.Inversion;

namespace NullTextResearch.Interactive;

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
