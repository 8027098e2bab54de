using System.Diagnostics;

namespace NullTextResearch.TestKit;

/// <summary>What may lie where a file is expected.</summary>
public static class OddPlaces
{
    /// <summary>All of them, each with a word that the complaint about it has.</summary>
    public static IReadOnlyDictionary<string, string> Kinds { get; } =
        OperatingSystem.IsLinux()
            ? new Dictionary<string, string>
            {
                ["folder"] = "is a folder",
                ["loop"] = "form a loop",
                ["dangling"] = "is a broken link",
                ["pipe"] = "is a named pipe",
                ["device"] = "is a device",
            }
            : new Dictionary<string, string> { ["folder"] = "is a folder" };

    /// <summary>Runs a reader that must not wait at a pipe for ever; ten seconds are only for that.</summary>
    /// <exception cref="TimeoutException">It hangs.</exception>
    public static T Within<T>(Func<T> read)
    {
        Task<T> task = Task.Run(read);
        return task.WaitAsync(TimeSpan.FromSeconds(10)).GetAwaiter().GetResult();
    }

    /// <summary>Puts one at a path, in place of what is there.</summary>
    public static void Put(string path, string kind)
    {
        if (File.Exists(path))
            File.Delete(path);
        switch (kind)
        {
            case "folder":
                Directory.CreateDirectory(path);
                break;
            case "loop":
                File.CreateSymbolicLink(path, path + ".other");
                File.CreateSymbolicLink(path + ".other", path);
                break;
            case "dangling":
                File.CreateSymbolicLink(path, path + ".gone");
                break;
            case "pipe":
                using (Process make = Process.Start("mkfifo", [path]))
                    make.WaitForExit();
                break;
            case "device":
                File.CreateSymbolicLink(path, "/dev/zero");
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not known.");
        }
    }
}
