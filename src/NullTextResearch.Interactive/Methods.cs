using NullTextResearch.Images;
using NullTextResearch.Inversion;

namespace NullTextResearch.Interactive;

/// <summary>The library's inversion methods, by name.</summary>
public static class Methods
{
    /// <summary>A method of the catalogue (<see cref="InversionCatalogue"/>; <c>nulltext methods</c> lists it).</summary>
    /// <param name="id">Id of the method, such as <c>direct</c>.</param>
    /// <param name="innerSteps">N, for methods that optimise (default 10).</param>
    /// <param name="seed">Seed for methods that draw noise.</param>
    /// <param name="path">Path from image to noise, such as <c>fixed-point</c> (<see cref="PathCatalogue"/>); null for the method's own.</param>
    /// <exception cref="ArgumentException">The method or path is unknown, or they cannot be combined; the message lists the choices or the reason.</exception>
    public static IInversion Of(string id, int innerSteps = 10, long seed = 0, string? path = null) =>
        InversionCatalogue.Create(id, path, new MethodRequest { InnerSteps = innerSteps, Seed = seed });

    /// <summary>Null-text inversion as in the paper.</summary>
    /// <param name="innerSteps">N, the maximum number of updates per step (default 10).</param>
    /// <param name="stopEarly">False runs all updates regardless of the loss.</param>
    public static IInversion NullText(int innerSteps = 10, bool stopEarly = true) =>
        new NullTextInversion(NullTextOptions.Default with { InnerSteps = innerSteps, StopEarly = stopEarly });

    /// <summary>DDIM inversion without optimisation.</summary>
    /// <param name="guidanceScale">w of the inversion itself (default 1).</param>
    public static IInversion Ddim(double guidanceScale = 1) => new DdimInversion(new DdimInversionOptions { GuidanceScale = guidanceScale });

    /// <summary>Uses the prompt instead of the null text; no optimisation.</summary>
    public static IInversion NegativePrompt() => new NegativePromptInversion();

    /// <summary>Moves the latents back to the pivot after each step; no optimisation.</summary>
    public static IInversion Direct() => new DirectInversion();

    /// <summary>Optimises one null-text embedding for all steps.</summary>
    /// <param name="innerSteps">Passes over all steps (default 10).</param>
    public static IInversion GlobalNullText(int innerSteps = 10) => new GlobalNullTextInversion(new GlobalNullTextOptions { InnerSteps = innerSteps });

    /// <summary>Null-text optimisation around a random trajectory.</summary>
    /// <param name="innerSteps">N (default 10).</param>
    /// <param name="seed">Seed of the trajectory.</param>
    public static IInversion RandomPivot(int innerSteps = 10, long seed = 0) =>
        new RandomPivotInversion(NullTextOptions.Default with { InnerSteps = innerSteps }, seed);

    /// <summary>Optimises the prompt's embedding without a pivot.</summary>
    /// <param name="innerSteps">Iterations per step (default 10).</param>
    /// <param name="seed">Seed of noise and timesteps.</param>
    public static IInversion Textual(int innerSteps = 10, long seed = 0) =>
        new TextualInversion(new TextualInversionOptions { InnerSteps = innerSteps, Seed = seed });

    /// <summary>Optimises the prompt's embedding against the pivot.</summary>
    /// <param name="innerSteps">N (default 10).</param>
    public static IInversion TextualWithPivot(int innerSteps = 10) => new TextualInversionWithPivot(NullTextOptions.Default with { InnerSteps = innerSteps });

    /// <summary>Optimises the null-text embedding without a pivot.</summary>
    /// <param name="innerSteps">Iterations per step (default 10).</param>
    /// <param name="seed">Seed of noise and timesteps.</param>
    public static IInversion NonPivotal(int innerSteps = 10, long seed = 0) =>
        new NonPivotalInversion(new NonPivotalOptions { InnerSteps = innerSteps, Seed = seed });

    /// <summary>
    /// The methods without optimisation, and null-text inversion: the default of <see cref="Workbench.Compare(RgbImage, string,
    /// IReadOnlyList{IInversion}, InvertOptions, CancellationToken)"/>.
    /// </summary>
    public static IReadOnlyList<IInversion> Usual => [Ddim(), NegativePrompt(), Direct(), NullText()];
}
