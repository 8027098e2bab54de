namespace NullTextResearch.Inversion;

/// <summary>An inversion method, as listed in the catalogue.</summary>
public sealed record InversionMethod
{
    /// <summary>Short name for options and files: lower-case letters and hyphens.</summary>
    public required string Id { get; init; }

    /// <summary>What it does, in one line.</summary>
    public required string Summary { get; init; }

    /// <summary>Where it comes from.</summary>
    public required string Source { get; init; }

    /// <summary>What it holds in memory in addition to plain DDIM inversion, in a few words or as a formula in T.</summary>
    public required string Memory { get; init; }

    /// <summary>Revision of its numbers; 0 at first.</summary>
    public int Revision => Create(new MethodRequest()).Revision;

    /// <summary>The original code whose recorded tensors it reproduces, and the tolerance.</summary>
    public required OriginalCode EqualTo { get; init; }

    /// <summary>Whether it takes gradient steps and so uses <see cref="MethodRequest.InnerSteps"/>.</summary>
    public bool Optimises { get; init; } = true;

    /// <summary>Whether it uses <see cref="MethodRequest.NullText"/>.</summary>
    public bool IsPivotal { get; init; }

    /// <summary>Whether it draws noise and so uses <see cref="MethodRequest.Seed"/>.</summary>
    public bool DrawsNoise { get; init; }

    /// <summary>Whether it works with any path of plain DDIM moves and so uses <see cref="MethodRequest.Path"/>.</summary>
    public bool TakesPath { get; init; }

    /// <summary>Creates the method.</summary>
    public required Func<MethodRequest, IInversion> Create { get; init; }

    /// <summary>Its maximum cost, from T and N, with the options of the released code and without early stops.</summary>
    public required Func<int, int, MethodCost> Cost { get; init; }

    /// <summary><see cref="Cost"/> on a path other than DDIM inversion.</summary>
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
