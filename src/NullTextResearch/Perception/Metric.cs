using System.Globalization;
using NullTextResearch.Weights;

namespace NullTextResearch.Perception;

/// <summary>A metric of pictures, as listed in the catalogue.</summary>
public sealed record Metric
{
    /// <summary>Short name used in options and column names: lower-case letters, digits and hyphens.</summary>
    public required string Id { get; init; }

    /// <summary>What it measures, in one line.</summary>
    public required string Summary { get; init; }

    /// <summary>The publication it comes from.</summary>
    public required string Source { get; init; }

    /// <summary>Which values are better.</summary>
    public required MetricDirection Direction { get; init; }

    /// <summary>Its least value.</summary>
    public required double Least { get; init; }

    /// <summary>Its greatest value; may be infinite.</summary>
    public required double Most { get; init; }

    /// <summary>Unit of its values; empty if they have none.</summary>
    public string Unit { get; init; } = "";

    /// <summary>The values that pixels have where it computes.</summary>
    public required string PixelScale { get; init; }

    /// <summary>What it needs beside the picture.</summary>
    public required MetricNeeds Needs { get; init; }

    /// <summary>The network whose published weights it needs; null if none.</summary>
    public MetricNetwork? Network { get; init; }

    /// <summary>Whether picture and reference can change places.</summary>
    public bool IsSymmetric { get; init; } = true;

    /// <summary>Whether <see cref="MetricInput.Mode"/> changes its value.</summary>
    public bool HasModes { get; init; }

    /// <summary>Whose values it reproduces, within which limit.</summary>
    public required string EqualTo { get; init; }

    /// <summary>The class that computes it.</summary>
    public required Type Implementation { get; init; }

    /// <summary>Its value for a reference equal to the picture; NaN if it needs more than a reference and a mask.</summary>
    public double Perfect =>
        (Needs & ~(MetricNeeds.Reference | MetricNeeds.Mask)) != 0 ? double.NaN
        : Direction == MetricDirection.Higher ? Most
        : Least;

    /// <summary>Range of its values, as in tables.</summary>
    public string Range =>
        string.Create(CultureInfo.InvariantCulture, $"{Least} to {(double.IsPositiveInfinity(Most) ? "infinity" : Most)}{(Unit.Length > 0 ? " " + Unit : "")}");

    /// <summary>Computes it from an input that has what it needs; call <see cref="Measure"/>, which checks that.</summary>
    public required Func<MetricInput, MetricNetworks?, double> Compute { get; init; }

    /// <summary>Why it cannot be computed; null if it can.</summary>
    /// <param name="has">What is there.</param>
    /// <param name="networks">The networks at hand; null for none.</param>
    /// <returns>A few words, such as "weights needed".</returns>
    public string? Missing(MetricNeeds has, MetricNetworks? networks)
    {
        if (Network is { } network && networks?.Has(network) != true)
            return "weights needed";
        return (Needs & ~has) == MetricNeeds.None ? null : $"needs {InWords(Needs & ~has)}";
    }

    /// <summary>Needs in words, such as "a reference and a mask"; "nothing" if there are none.</summary>
    /// <param name="needs">One or several.</param>
    public static string InWords(MetricNeeds needs)
    {
        string[] words =
        [
            .. Enum.GetValues<MetricNeeds>()
                .Where(n => n != MetricNeeds.None && needs.HasFlag(n))
                .Select(n =>
                    n switch
                    {
                        MetricNeeds.Reference => "a reference",
                        MetricNeeds.Mask => "a mask",
                        MetricNeeds.Text => "a text",
                        _ => "a text of the reference",
                    }
                ),
        ];
        return words.Length == 0 ? "nothing" : string.Join(" and ", words);
    }

    /// <summary>Measures a picture.</summary>
    /// <param name="input">Picture, and what it is compared with.</param>
    /// <param name="networks">Networks with weights; borrowed. Null if this metric needs none.</param>
    /// <returns>Within its range; NaN for an empty mask.</returns>
    /// <exception cref="ArgumentException">Something that it needs is missing, the sizes differ, or the pictures are too small.</exception>
    /// <exception cref="ModelFormatException">The files of its network are damaged or those of another one.</exception>
    public double Measure(MetricInput input, MetricNetworks? networks = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (Missing(input.Has, networks) is { } missing)
            throw new ArgumentException(
                $"{Id} cannot be computed: {missing}."
                    + (
                        missing == "weights needed"
                            ? $" Open a folder with the published weights of {Network} ({nameof(MetricNetworks)}.{nameof(MetricNetworks.Open)})."
                            : ""
                    ),
                nameof(input)
            );
        return Compute(input, networks);
    }
}
