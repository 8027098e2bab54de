using System.Globalization;

namespace NullTextResearch.Figures;

/// <summary>Colours and type shared by charts, grids and pages.</summary>
internal static class Theme
{
    internal const string FontFamily = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

    /// <summary><see cref="FontFamily"/> inside a double-quoted attribute.</summary>
    internal const string FontFamilyAttribute = FontFamily;

    internal const string Ink = "#1f2933";
    internal const string Muted = "#52606d";
    internal const string Grid = "#e6eaee";
    internal const string AxisLine = "#9aa5b1";
    internal const string Paper = "#ffffff";

    // Okabe and Ito's colours, distinguishable with any kind of colour blindness; their yellow is too faint on white.
    private static readonly string[] Colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5f4b8b", "#7a7a7a"];
    private static readonly string[] Symbols = ["circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x", "star"];
    private static readonly string[] Neutral = ["#1f2933", "#7b8794", "#52606d", "#9aa5b1"];
    private static readonly string[] Dashes = ["dash", "dot", "dashdot", "longdash"];

    internal static string Color(int index) => Colors[index % Colors.Length];

    internal static string Symbol(int index) => Symbols[index % Symbols.Length];

    internal static string NeutralColor(int index) => Neutral[index % Neutral.Length];

    internal static string NeutralDash(int index) => Dashes[index % Dashes.Length];

    /// <summary>The colour with an opacity, if it is written as #rrggbb; other CSS colours are returned unchanged.</summary>
    internal static string WithOpacity(string color, double opacity)
    {
        if (color.Length != 7 || color[0] != '#' || !int.TryParse(color.AsSpan(1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out int rgb))
        {
            return color;
        }

        return string.Create(CultureInfo.InvariantCulture, $"rgba({rgb >> 16},{(rgb >> 8) & 255},{rgb & 255},{opacity})");
    }
}
