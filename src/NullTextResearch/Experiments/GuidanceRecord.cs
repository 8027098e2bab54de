using NullTextResearch.Metrics;

namespace NullTextResearch.Experiments;

/// <summary>One image, DDIM-inverted at one guidance scale.</summary>
/// <param name="InversionGuidance">w of the inversion.</param>
/// <param name="Noise">How Gaussian the inverted latents are.</param>
/// <param name="PsnrSame">PSNR, dB, sampled at the same w with the empty prompt.</param>
/// <param name="PsnrSampling">PSNR, dB, sampled at the w of reconstructions (7.5).</param>
/// <param name="PsnrOne">PSNR, dB, sampled at w = 1.</param>
public sealed record GuidanceRecord(double InversionGuidance, GaussianStatistics Noise, double PsnrSame, double PsnrSampling, double PsnrOne);
