namespace NullTextResearch.Metrics;

/// <summary>Window over which structural similarity takes its local statistics.</summary>
public enum SsimWindow
{
    /// <summary>Gaussian of sigma 1.5 on 11 x 11 pixels, population covariance, as in the publication.</summary>
    Gaussian11,

    /// <summary>Plain mean over 7 x 7 pixels, sample covariance (divided by 48): the default of a common library.</summary>
    Uniform7,
}
