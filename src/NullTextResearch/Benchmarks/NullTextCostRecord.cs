namespace NullTextResearch.Benchmarks;

/// <summary>What one variant of null-text optimisation needed and reached for one image.</summary>
/// <param name="Forwards">Network evaluations of the inversion, that of the pivot included.</param>
/// <param name="Backwards">How many were followed by a backward pass.</param>
/// <param name="Seconds">Time of the inversion, on one thread beside others.</param>
/// <param name="SourcePsnr">PSNR in dB of the reconstruction to the picture, bounded by that of the autoencoder's round trip.</param>
/// <param name="PivotPsnr">PSNR in dB of the reconstruction to the autoencoder's round trip, where following the pivot exactly would lead.</param>
/// <param name="EditPsnr">PSNR in dB of the edited picture to the true one.</param>
/// <param name="Success">Whether the edit succeeded (<see cref="SceneEditJudge"/>); null without a judge.</param>
/// <param name="FirstLosses">The loss with which each timestep began, noisiest first; NaN where it was not measured.</param>
/// <param name="Losses">The last loss measured at each timestep, noisiest first; with Adam that before the last update. NaN where it was not measured.</param>
public sealed record NullTextCostRecord(
    double Forwards,
    double Backwards,
    double Seconds,
    double SourcePsnr,
    double PivotPsnr,
    double EditPsnr,
    bool? Success,
    IReadOnlyList<double> FirstLosses,
    IReadOnlyList<double> Losses
)
{
    /// <summary>Cost in forward passes: a backward pass counts as two.</summary>
    public double Cost => Forwards + (2 * Backwards);
}
