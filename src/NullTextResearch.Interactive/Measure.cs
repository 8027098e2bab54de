using System.Globalization;

namespace NullTextResearch.Interactive;

/// <summary>A number shown below a picture, with a small chart over the slider that moves.</summary>
/// <param name="Name">Its name, such as <c>distance to the source</c>.</param>
/// <param name="Value">The number; not finite if undefined.</param>
/// <param name="Unit">Its unit, or null.</param>
public sealed record Measure(string Name, double Value, string? Unit = null)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Value.ToString("G4", CultureInfo.InvariantCulture)}{(Unit is null ? "" : " " + Unit)}";
}
