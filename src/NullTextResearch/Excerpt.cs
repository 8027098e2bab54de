namespace NullTextResearch;

/// <summary>Text of a file in a message: as much as helps to find the place.</summary>
internal static class Excerpt
{
    private const int Most = 100;

    /// <summary>The text, or its beginning.</summary>
    public static string Of(string text) => text.Length <= Most ? text : string.Concat(text.AsSpan(0, Most), "...");
}
