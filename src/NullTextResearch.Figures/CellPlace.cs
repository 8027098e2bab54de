namespace NullTextResearch.Figures;

/// <summary>The position of a cell's picture in the drawn grid.</summary>
/// <param name="X">Left edge in pixels.</param>
/// <param name="Y">Top edge in pixels.</param>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
public readonly record struct CellPlace(int X, int Y, int Width, int Height);
