namespace NullTextResearch;

/// <summary>Where this library keeps what it can make again, for this user.</summary>
internal static class UserCache
{
    /// <summary>A folder of that name; it need not exist, nor be writable.</summary>
    public static string Folder(string name)
    {
        // A relative path means nothing, as the standard has it.
        string root =
            Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg && Path.IsPathRooted(xdg)
                ? xdg
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(root, "nulltext", name);
    }
}
