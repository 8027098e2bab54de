using System.Globalization;

namespace NullTextResearch.Metrics;

/// <summary>Mean of paired differences on the same images, with its 95 % confidence interval (Student's t).</summary>
/// <param name="Count">Number of images.</param>
/// <param name="Mean">Mean difference.</param>
/// <param name="Margin">Half the width of the interval; NaN for fewer than two images.</param>
public readonly record struct PairedDifference(int Count, double Mean, double Margin)
{
    /// <summary>Lower end of the interval.</summary>
    public double Low => Mean - Margin;

    /// <summary>Upper end of the interval.</summary>
    public double High => Mean + Margin;

    /// <summary>Whether the interval excludes zero.</summary>
    public bool IsClear => Low > 0 || High < 0;

    /// <summary>The mean and its interval with two digits and their signs: "+0.12 (-0.30 to +0.54)".</summary>
    public string ToSignedText()
    {
        // The third section is for what rounds to zero, which would else be "-+0.00".
        static string Signed(double value) => value.ToString("+0.00;-0.00;0.00", CultureInfo.InvariantCulture);
        return $"{Signed(Mean)} ({Signed(Low)} to {Signed(High)})";
    }

    /// <summary>Computes the statistics from given differences.</summary>
    /// <param name="differences">One per image, at least one.</param>
    /// <exception cref="ArgumentException">The sequence is empty.</exception>
    public static PairedDifference Of(IEnumerable<double> differences)
    {
        double[] d = [.. differences];
        if (d.Length == 0)
            throw new ArgumentException("A mean difference needs at least one image.", nameof(differences));
        double mean = d.Average();
        if (d.Length == 1)
            return new PairedDifference(1, mean, double.NaN);
        double deviation = Math.Sqrt(d.Sum(x => (x - mean) * (x - mean)) / (d.Length - 1));
        return new PairedDifference(d.Length, mean, StudentQuantile(d.Length - 1) * deviation / Math.Sqrt(d.Length));
    }

    /// <summary>Computes the statistics of two series on the same images, first minus second.</summary>
    /// <param name="first">One value per image.</param>
    /// <param name="second">The same number of values.</param>
    /// <exception cref="ArgumentException">The series are empty or differ in length.</exception>
    public static PairedDifference Of(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        if (first.Count != second.Count)
            throw new ArgumentException($"Paired series need the same length; got {first.Count} and {second.Count}.", nameof(second));
        return Of(first.Zip(second, (a, b) => a - b));
    }

    /// <summary>The 97.5 % quantile of Student's t, for 1 degree of freedom or more.</summary>
    private static double StudentQuantile(int freedom)
    {
        // Table values where the expansion in 1/freedom (Abramowitz and Stegun 26.7.5) is not accurate to three digits.
        double[] few = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306];
        if (freedom <= few.Length)
            return few[freedom - 1];
        const double Z = 1.959964;
        double z3 = Z * Z * Z,
            z5 = z3 * Z * Z,
            z7 = z5 * Z * Z;
        return Z
            + (z3 + Z) / (4 * freedom)
            + (5 * z5 + 16 * z3 + 3 * Z) / (96.0 * freedom * freedom)
            + (3 * z7 + 19 * z5 + 17 * z3 - 15 * Z) / (384.0 * freedom * freedom * freedom);
    }
}
