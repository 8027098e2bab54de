namespace NullTextResearch.Kernel.Server;

/// <summary>Converts text positions: Jupyter counts characters, .NET counts UTF-16 units.</summary>
internal static class CodePoints
{
    /// <summary>Index in UTF-16 units after a number of characters, at most the length of the text.</summary>
    public static int ToUtf16(string text, int characters)
    {
        int at = 0;
        for (int i = 0; i < characters && at < text.Length; i++)
            at += char.IsSurrogatePair(text, at) ? 2 : 1;
        return at;
    }

    /// <summary>Number of characters before an index in UTF-16 units.</summary>
    public static int FromUtf16(string text, int index)
    {
        int characters = 0;
        for (int at = 0; at < index && at < text.Length; characters++)
            at += char.IsSurrogatePair(text, at) ? 2 : 1;
        return characters;
    }
}
