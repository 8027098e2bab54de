using System.Globalization;

namespace NullTextResearch.TestKit;

/// <summary>A culture of our own, which needs no ICU: decimal comma, dots between groups, a minus that is not ASCII, words in place of NaN.</summary>
public static class OddCulture
{
    /// <summary>The culture.</summary>
    public static CultureInfo Culture { get; } = Make();

    /// <summary>Does the same in the invariant culture and in the odd one, on the calling thread and those that it starts.</summary>
    /// <returns>Both results.</returns>
    public static (T Invariant, T Odd) Both<T>(Func<T> work)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
            T invariant = work();
            CultureInfo.CurrentCulture = Culture;
            return (invariant, work());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static CultureInfo Make()
    {
        CultureInfo culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        NumberFormatInfo numbers = culture.NumberFormat;
        numbers.NumberDecimalSeparator = numbers.PercentDecimalSeparator = numbers.CurrencyDecimalSeparator = ",";
        numbers.NumberGroupSeparator = numbers.PercentGroupSeparator = numbers.CurrencyGroupSeparator = ".";
        numbers.NegativeSign = "\u2212";
        numbers.PercentSymbol = "v.H.";
        numbers.NaNSymbol = "keine Zahl";
        numbers.PositiveInfinitySymbol = "unendlich";
        culture.DateTimeFormat.DateSeparator = ".";
        culture.DateTimeFormat.TimeSeparator = ".";
        return culture;
    }
}
