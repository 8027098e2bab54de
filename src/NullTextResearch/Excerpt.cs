namespace NullTextResearch;

/// <summary>Excerpts of file text and of errors for messages: enough to find the place.</summary>
internal static class Excerpt
{
    /// <summary>The text, or its beginning.</summary>
    /// <param name="text">The file's text.</param>
    /// <param name="most">Maximum number of characters.</param>
    public static string Of(string text, int most = 100) => text.Length <= most ? text : string.Concat(text.AsSpan(0, most), "...");

    /// <summary>An error's message without the "(Parameter 'x')" that .NET adds, which means nothing in a file or a record.</summary>
    /// <param name="error">The error.</param>
    public static string WithoutParameter(ArgumentException error) => error.Message.Replace($" (Parameter '{error.ParamName}')", "", StringComparison.Ordinal);
}
