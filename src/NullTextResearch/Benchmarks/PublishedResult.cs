namespace NullTextResearch.Benchmarks;

/// <summary>
/// One published row of PIE-Bench scores, in the units of the tables: 700 pictures, 50 steps, guidance 7.5 unless its setting says otherwise.
/// </summary>
public sealed record PublishedResult
{
    /// <summary>How the picture becomes noise; the whole method if both steps are one.</summary>
    public required string Inversion { get; init; }

    /// <summary>The editor; empty if the method has none of its own.</summary>
    public string Editor { get; init; } = "";

    /// <summary>Model and steps where they differ from Stable Diffusion 1.4 with 50 steps; empty if they do not.</summary>
    public string Setting { get; init; } = "";

    /// <summary>Distance of DINO self-similarities over the whole picture, times 1000; lower is better.</summary>
    public double? Structure { get; init; }

    /// <summary>PSNR of the kept region in dB; higher is better.</summary>
    public double? Psnr { get; init; }

    /// <summary>LPIPS of the kept region, times 1000; lower is better.</summary>
    public double? Lpips { get; init; }

    /// <summary>Mean squared error of the kept region for values 0 to 1, times 10,000; lower is better.</summary>
    public double? Mse { get; init; }

    /// <summary>SSIM of the kept region, times 100; higher is better.</summary>
    public double? Ssim { get; init; }

    /// <summary>CLIP similarity of the whole picture with the target prompt, 0 to 100; higher is better.</summary>
    public double? ClipWhole { get; init; }

    /// <summary>CLIP similarity of the edited region, black elsewhere, with the target prompt, 0 to 100; higher is better.</summary>
    public double? ClipEdited { get; init; }

    /// <summary>Where the numbers were read: whose table, and how it was seen.</summary>
    public required string Source { get; init; }

    /// <summary>What else a reader should know; empty if nothing.</summary>
    public string Note { get; init; } = "";

    /// <summary>Inversion, editor and setting in one line.</summary>
    public string Name => $"{Inversion}{(Editor.Length > 0 ? $" + {Editor}" : "")}{(Setting.Length > 0 ? $" ({Setting})" : "")}";
}
