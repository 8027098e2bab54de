namespace NullTextResearch.Inversion;

/// <summary>Progress of long work.</summary>
/// <param name="Stage">What is being done, in a few words.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Of">Steps in all.</param>
/// <param name="InnerStep">Inner steps done in the current step.</param>
/// <param name="Loss">Mean loss over the images, where there is one.</param>
public sealed record InversionProgress(string Stage, int Step, int Of, int InnerStep = 0, double? Loss = null);
