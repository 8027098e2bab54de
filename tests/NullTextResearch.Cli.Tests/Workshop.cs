using NullTextResearch.Images;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>A folder of its own with a picture in it; gone when the test is.</summary>
public class Workshop : IDisposable
{
    public const string Prompt = "a red car in the desert";

    public Workshop()
    {
        ImageFile.SavePng(Picture(64, 48), Path.Combine(Folder, "photo.png"));
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("nulltext-cli-").FullName;

    internal static string MiniFolder { get; } = Path.Combine(AppContext.BaseDirectory, "models", "sd-mini");

    internal static void RequireMini() =>
        Assert.SkipUnless(File.Exists(Path.Combine(MiniFolder, "model_index.json")), "the embedded model sd-mini is not beside the tests");

    internal Outcome Run(params IReadOnlyList<string> arguments) => Nulltext.Run(Folder, arguments);

    /// <summary>A short inversion of the picture into a run folder.</summary>
    internal Outcome Invert(string into, params IReadOnlyList<string> more) =>
        Run(["invert", "photo.png", "--prompt", Prompt, "--steps", "5", "--inner", "1", "--out", into, .. more]);

    /// <summary>A folder that is sd-mini but for one part, which is the caller's to fill.</summary>
    internal string MiniWithout(string part)
    {
        string folder = Path.Combine(Folder, "model");
        Directory.CreateDirectory(folder);
        foreach (string other in Directory.GetDirectories(MiniFolder))
        {
            if (Path.GetFileName(other) != part)
                Directory.CreateSymbolicLink(Path.Combine(folder, Path.GetFileName(other)), other);
        }

        return folder;
    }

    internal static RgbImage Picture(int width, int height)
    {
        byte[] rgb = new byte[width * height * 3];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                int at = ((y * width) + x) * 3;
                rgb[at] = (byte)(x * 255 / width);
                rgb[at + 1] = (byte)(y * 255 / height);
                rgb[at + 2] = (byte)((x + y) % 16 * 8);
            }
        }

        return new RgbImage(width, height, rgb);
    }

    public void Dispose()
    {
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }
}

/// <summary>A workshop with one finished run, shared by the tests that only read it or add edits.</summary>
public sealed class FinishedRun : Workshop
{
    public FinishedRun()
    {
        if (File.Exists(Path.Combine(MiniFolder, "model_index.json")))
            Inversion = Invert("run");
    }

    internal Outcome? Inversion { get; }
}
