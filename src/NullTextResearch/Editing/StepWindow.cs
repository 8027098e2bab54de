using System.Globalization;
using System.Text.Json.Serialization;

namespace NullTextResearch.Editing;

/// <summary>A share of the sampling steps, counted from the noisy end: [Start, End).</summary>
public readonly record struct StepWindow : IParsable<StepWindow>
{
    /// <summary>Creates a window.</summary>
    /// <param name="start">Where it begins, 0 (noisiest) to 1 (clean).</param>
    /// <param name="end">Where it ends, <paramref name="start"/> to 1; not included.</param>
    /// <exception cref="ArgumentOutOfRangeException">A bound lies outside 0..1, or the end is before the start.</exception>
    [JsonConstructor]
    public StepWindow(double start, double end)
    {
        if (!(start is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(start), start, "A window must start at a share of the steps between 0 and 1.");
        if (!(end >= start && end <= 1))
            throw new ArgumentOutOfRangeException(
                nameof(end),
                end,
                string.Create(CultureInfo.InvariantCulture, $"A window that starts at {start} must end between there and 1.")
            );
        Start = start;
        End = end;
    }

    /// <summary>Where it begins, 0 to 1.</summary>
    public double Start { get; }

    /// <summary>Where it ends, 0 to 1; not included.</summary>
    public double End { get; }

    /// <summary>No step at all.</summary>
    public static StepWindow Never => default;

    /// <summary>Every step.</summary>
    public static StepWindow Always => new(0, 1);

    /// <summary>The first steps: [0, end).</summary>
    public static StepWindow Until(double end) => new(0, end);

    /// <summary>The window's steps out of <paramref name="count"/> in total: [int(Start count), int(End count)), truncated as in the released code.</summary>
    public (int First, int End) Of(int count) => ((int)(Start * count), (int)(End * count));

    /// <summary>Parses two shares separated by a hyphen or comma: <c>0.2-0.8</c>, or the output of <see cref="ToString"/>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="provider">Ignored: the decimal separator is always a point.</param>
    /// <exception cref="FormatException">The text is not a window.</exception>
    public static StepWindow Parse(string text, IFormatProvider? provider = null) =>
        TryParse(text, provider, out StepWindow window)
            ? window
            : throw new FormatException($"'{text}' is not a window of steps; give two shares between 0 and 1, such as 0.2-0.8.");

    /// <summary>Like <see cref="Parse"/>, but returns false instead of throwing.</summary>
    public static bool TryParse(string? text, IFormatProvider? provider, out StepWindow window)
    {
        window = default;
        string[] parts = (text ?? "").Trim('[', ')').Split(['-', ','], 2, StringSplitOptions.TrimEntries);
        if (
            parts.Length != 2
            || !double.TryParse(parts[0], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double start)
            || !double.TryParse(parts[1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double end)
            || !(start <= end && end <= 1)
        )
            return false;
        window = new StepWindow(start, end);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"[{Start}, {End})");
}
