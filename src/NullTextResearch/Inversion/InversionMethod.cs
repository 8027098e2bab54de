namespace NullTextResearch.Inversion;

/// <summary>A way to invert images, as the catalogue lists it.</summary>
public sealed record InversionMethod
{
    /// <summary>Short name of options and files: lower-case letters and hyphens.</summary>
    public required string Id { get; init; }

    /// <summary>What it does, in a line.</summary>
    public required string Summary { get; init; }

    /// <summary>Where it comes from.</summary>
    public required string Source { get; init; }

    /// <summary>What it holds in memory beside plain DDIM inversion, in a few words or as a formula in T.</summary>
    public required string Memory { get; init; }

    /// <summary>Whose recorded tensors it equals, and within which limit.</summary>
    public required OriginalCode EqualTo { get; init; }

    /// <summary>Whether it takes gradient steps, so that <see cref="MethodRequest.InnerSteps"/> means something.</summary>
    public bool Optimises { get; init; } = true;

    /// <summary>Whether it starts from <see cref="MethodRequest.NullText"/>.</summary>
    public bool IsPivotal { get; init; }

    /// <summary>Whether it draws noise, so that <see cref="MethodRequest.Seed"/> means something.</summary>
    public bool DrawsNoise { get; init; }

    /// <summary>Whether it goes with any path of plain DDIM moves, so that <see cref="MethodRequest.Path"/> means something.</summary>
    public bool TakesPath { get; init; }

    /// <summary>Makes it.</summary>
    public required Func<MethodRequest, IInversion> Create { get; init; }

    /// <summary>What it costs at most, from T and N, with the options of the released code and without early stops.</summary>
    public required Func<int, int, MethodCost> Cost { get; init; }

    /// <summary><see cref="Cost"/> where the path is another than DDIM inversion.</summary>
    /// <param name="path">The path.</param>
    /// <param name="steps">T.</param>
    /// <param name="innerSteps">N.</param>
    public MethodCost CostOn(PathMethod path, int steps, int innerSteps)
    {
        MethodCost own = Cost(steps, innerSteps),
            climb = path.Cost(steps);
        return new MethodCost(own.Forwards - steps + climb.Forwards, own.Backwards + climb.Backwards);
    }

    /// <summary><see cref="Cost"/> as a formula in T and N.</summary>
    public required string CostFormula { get; init; }
}
