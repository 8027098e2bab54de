namespace NullTextResearch.Kernel.Installing;

/// <summary>The folders in which Jupyter looks for kernels, according to its documentation.</summary>
internal static class JupyterPaths
{
    // Empty if HOME is not set and the system knows no home folder for this user. As part of a path it would mean the current folder.
    private static string Home => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    /// <summary>The user's own data folder.</summary>
    /// <exception cref="IOException">This user has no home folder.</exception>
    public static string UserData() =>
        FindUserData() ?? throw new IOException("This user has no home folder, so there is no place for kernels: set HOME or JUPYTER_DATA_DIR.");

    private static string? FindUserData()
    {
        if (Environment.GetEnvironmentVariable("JUPYTER_DATA_DIR") is { Length: > 0 } set)
            return set;
        string home = Home;
        if (home.Length == 0 && Environment.GetEnvironmentVariable("XDG_DATA_HOME") is not { Length: > 0 })
            return null;
        if (OperatingSystem.IsWindows())
            return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "jupyter");
        if (OperatingSystem.IsMacOS())
            return Path.Combine(home, "Library", "Jupyter");
        string share = Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } xdg ? xdg : Path.Combine(home, ".local", "share");
        return Path.Combine(share, "jupyter");
    }

    /// <summary>This user's cache folder for our own files.</summary>
    public static string UserCache()
    {
        string root =
            Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg && Path.IsPathRooted(xdg) ? xdg
            : Home is { Length: > 0 } home ? Path.Combine(home, ".cache")
            : Path.GetTempPath();
        return Path.Combine(root, "nulltext");
    }

    /// <summary>Every folder that may hold kernels, highest priority first.</summary>
    public static IReadOnlyList<string> Kernels()
    {
        List<string> data = [];
        data.AddRange((Environment.GetEnvironmentVariable("JUPYTER_PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries));
        if (FindUserData() is { } own)
            data.Add(own);
        if (Environment.GetEnvironmentVariable("VIRTUAL_ENV") is { Length: > 0 } venv)
            data.Add(Path.Combine(venv, "share", "jupyter"));
        if (Environment.GetEnvironmentVariable("CONDA_PREFIX") is { Length: > 0 } conda)
            data.Add(Path.Combine(conda, "share", "jupyter"));
        if (OperatingSystem.IsWindows())
            data.Add(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "jupyter"));
        else
            data.AddRange(["/usr/local/share/jupyter", "/usr/share/jupyter"]);
        return [.. data.Select(d => Path.Combine(d, "kernels")).Distinct()];
    }

    /// <summary>Full path of a program on the PATH, or null if it is not there.</summary>
    public static string? OnPath(string program) =>
        (
            from folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            from ending in OperatingSystem.IsWindows() ? (string[])[".exe", ".cmd"] : [""]
            select Path.Combine(folder, program + ending)
        ).FirstOrDefault(File.Exists);
}
