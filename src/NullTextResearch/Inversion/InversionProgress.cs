namespace NullTextResearch.Inversion;

/// <summary>Progress of an inversion, an edit or sampling: steps along the noise levels.</summary>
/// <param name="Stage">The current activity, in a few words.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Of">Total number of steps.</param>
/// <param name="InnerStep">Inner steps done in the current step.</param>
/// <param name="Loss">Mean loss over the images; null if there is none.</param>
public sealed record InversionProgress(string Stage, int Step, int Of, int InnerStep = 0, double? Loss = null) : WorkProgress(Stage)
{
    /// <inheritdoc/>
    public override double Done => Step;

    /// <inheritdoc/>
    public override double Total => Of;

    /// <inheritdoc/>
    public override string Where =>
        FormattableString.Invariant($"step {Step} of {Of}") + (Loss is { } loss ? FormattableString.Invariant($", loss {loss:0.0e+00}") : "");
}
