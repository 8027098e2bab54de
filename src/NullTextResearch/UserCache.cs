namespace NullTextResearch;

/// <summary>The user's cache of files that this library can create again.</summary>
internal static class UserCache
{
    /// <summary>The cache folder with a given name; it need not exist or be writable.</summary>
    public static string Folder(string name)
    {
        // The standard says to ignore a relative path.
        string root =
            Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg && Path.IsPathRooted(xdg)
                ? xdg
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(root, "nulltext", name);
    }
}
