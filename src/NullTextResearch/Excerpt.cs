namespace NullTextResearch;

/// <summary>Text of a file in a message: as much as helps to find the place.</summary>
internal static class Excerpt
{
    /// <summary>The text, or its beginning.</summary>
    /// <param name="text">What the file says.</param>
    /// <param name="most">How many characters are enough.</param>
    public static string Of(string text, int most = 100) => text.Length <= most ? text : string.Concat(text.AsSpan(0, most), "...");
}
