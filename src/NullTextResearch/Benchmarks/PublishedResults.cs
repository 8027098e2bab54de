using System.Globalization;
using System.Text;
using NullTextResearch.Perception;

namespace NullTextResearch.Benchmarks;

/// <summary>Published PIE-Bench scores, to be read beside one's own.</summary>
/// <remarks>
/// <para>They are copied, not measured here. Most were read from pictures of tables or from transcriptions; every row says which. A row whose numbers could not
/// be seen anywhere (EDICT, for instance) is not listed.</para>
/// <para>Scores are not portable between papers: masks, pixel scales, prompts with brackets, steps and GPUs differ. Two papers give InfEdit's PSNR as 28.51 dB
/// (12 steps) and 24.14 dB (4 steps). Measure the baselines again before claiming to be better.</para>
/// </remarks>
public static class PublishedResults
{
    private const string PnpTable = "Ju et al. 2024 (PnP Inversion), results table as a picture in the authors' repository",
        InfEditTable = "InfEdit, results table as transcribed by others",
        HEditTable = "h-Edit, results table as a picture in the authors' repository",
        ViMAEditTable = "ViMAEdit, table in the README of the authors' repository",
        UniEditTable = "UniEdit-Flow, results table as transcribed by others";

    /// <summary>The columns of the tables, in their usual order.</summary>
    public static IReadOnlyList<PublishedColumn> Columns { get; } =
    [
        new("structure x 1000", "structure", 1e3, MetricDirection.Lower, r => r.Structure),
        new("PSNR, dB", "masked-psnr", 1, MetricDirection.Higher, r => r.Psnr),
        new("LPIPS x 1000", "masked-lpips-squeeze", 1e3, MetricDirection.Lower, r => r.Lpips),
        new("MSE x 10000", "masked-mse", 1e4, MetricDirection.Lower, r => r.Mse),
        new("SSIM x 100", "masked-ssim", 1e2, MetricDirection.Higher, r => r.Ssim),
        new("CLIP, whole", "clip-text", 1, MetricDirection.Higher, r => r.ClipWhole),
        new("CLIP, edited", "masked-clip-text", 1, MetricDirection.Higher, r => r.ClipEdited),
    ];

    /// <summary>The rows, grouped by editor and source.</summary>
    public static IReadOnlyList<PublishedResult> Pie { get; } =
    [
        new()
        {
            Inversion = "DDIM inversion",
            Editor = "prompt-to-prompt",
            Structure = 69.43,
            Psnr = 17.87,
            Lpips = 208.80,
            Mse = 219.88,
            Ssim = 71.14,
            ClipWhole = 25.01,
            ClipEdited = 22.44,
            Source = PnpTable + "; also in a transcription of InfEdit's table",
        },
        new()
        {
            Inversion = "null-text inversion",
            Editor = "prompt-to-prompt",
            Structure = 13.44,
            Psnr = 27.03,
            Lpips = 60.67,
            Mse = 35.86,
            Ssim = 84.11,
            ClipWhole = 24.75,
            ClipEdited = 21.86,
            Source = PnpTable + "; also on its project page",
            Note = "mean of two runs, on an A800 and on an RTX 3090, which differ",
        },
        new()
        {
            Inversion = "negative-prompt inversion",
            Editor = "prompt-to-prompt",
            Structure = 16.17,
            Psnr = 26.21,
            Lpips = 69.01,
            Mse = 39.73,
            Ssim = 83.40,
            ClipWhole = 24.61,
            ClipEdited = 21.87,
            Source = PnpTable,
        },
        new()
        {
            Inversion = "StyleDiffusion",
            Editor = "prompt-to-prompt",
            Structure = 11.65,
            Psnr = 26.05,
            Lpips = 66.10,
            Mse = 38.63,
            Ssim = 83.42,
            ClipWhole = 24.78,
            ClipEdited = 21.72,
            Source = PnpTable,
        },
        new()
        {
            Inversion = "direct inversion",
            Editor = "prompt-to-prompt",
            Structure = 11.65,
            Psnr = 27.22,
            Lpips = 54.55,
            Mse = 32.86,
            Ssim = 84.76,
            ClipWhole = 25.02,
            ClipEdited = 22.10,
            Source = PnpTable + "; also on its project page",
        },
        new()
        {
            Inversion = "DDIM inversion",
            Editor = "MasaCtrl",
            Structure = 28.38,
            Psnr = 22.17,
            Lpips = 106.62,
            Mse = 86.97,
            Ssim = 79.67,
            ClipWhole = 23.96,
            ClipEdited = 21.16,
            Source = PnpTable,
            Note = "another paper (ChordEdit) measures MasaCtrl at PSNR 21.25",
        },
        new()
        {
            Inversion = "direct inversion",
            Editor = "MasaCtrl",
            Structure = 24.70,
            Psnr = 22.64,
            Lpips = 87.94,
            Mse = 81.09,
            Ssim = 81.33,
            ClipWhole = 24.38,
            ClipEdited = 21.35,
            Source = PnpTable,
        },
        new()
        {
            Inversion = "DDIM inversion",
            Editor = "pix2pix-zero",
            Structure = 61.68,
            Psnr = 20.44,
            Lpips = 172.22,
            Mse = 144.12,
            Ssim = 74.67,
            ClipWhole = 22.80,
            ClipEdited = 20.54,
            Source = PnpTable,
        },
        new()
        {
            Inversion = "direct inversion",
            Editor = "pix2pix-zero",
            Structure = 49.22,
            Psnr = 21.53,
            Lpips = 138.98,
            Mse = 127.32,
            Ssim = 77.05,
            ClipWhole = 23.31,
            ClipEdited = 21.05,
            Source = PnpTable,
        },
        new()
        {
            Inversion = "DDIM inversion",
            Editor = "plug-and-play",
            Setting = "Stable Diffusion 1.5",
            Structure = 28.22,
            Psnr = 22.28,
            Lpips = 113.46,
            Mse = 83.64,
            Ssim = 79.05,
            ClipWhole = 25.41,
            ClipEdited = 22.55,
            Source = PnpTable,
        },
        new()
        {
            Inversion = "direct inversion",
            Editor = "plug-and-play",
            Setting = "Stable Diffusion 1.5",
            Structure = 24.29,
            Psnr = 22.46,
            Lpips = 106.06,
            Mse = 80.45,
            Ssim = 79.68,
            ClipWhole = 25.41,
            ClipEdited = 22.62,
            Source = PnpTable,
            Note = "another paper (ChordEdit) measures it at PSNR 21.43",
        },
        new()
        {
            Inversion = "CycleDiffusion",
            Editor = "prompt-to-prompt",
            Setting = "32 steps",
            Structure = 6.06,
            Psnr = 28.25,
            Lpips = 43.96,
            Mse = 25.85,
            Ssim = 85.61,
            ClipWhole = 23.68,
            ClipEdited = 20.87,
            Source = InfEditTable,
        },
        new()
        {
            Inversion = "InfEdit VI",
            Editor = "prompt-to-prompt",
            Setting = "32 steps",
            Structure = 14.22,
            Psnr = 27.52,
            Lpips = 47.98,
            Mse = 34.17,
            Ssim = 85.05,
            ClipWhole = 24.89,
            ClipEdited = 22.03,
            Source = InfEditTable + "; structure and CLIP also on its project page",
        },
        new()
        {
            Inversion = "InfEdit VI",
            Editor = "UAC",
            Setting = "LCM, 12 steps",
            Structure = 13.78,
            Psnr = 28.51,
            Lpips = 47.58,
            Mse = 32.09,
            Ssim = 85.66,
            ClipWhole = 25.03,
            ClipEdited = 22.22,
            Source = "InfEdit's project page; also in the README of ViMAEdit",
            Note = "another paper (ChordEdit) measures InfEdit at PSNR 24.14 and LPIPS 55.69 with 4 steps",
        },
        new()
        {
            Inversion = "NMG",
            Editor = "prompt-to-prompt",
            Structure = 13.2,
            Psnr = 27.05,
            Lpips = 55.9,
            Ssim = 84.7,
            ClipWhole = 24.9,
            Source = HEditTable,
            Note = "rescaled from the units of h-Edit's table",
        },
        new()
        {
            Inversion = "edit-friendly DDPM",
            Editor = "prompt-to-prompt",
            Structure = 15.1,
            Psnr = 26.30,
            Lpips = 57.0,
            Ssim = 84.0,
            ClipWhole = 25.5,
            Source = HEditTable,
            Note = "rescaled from the units of h-Edit's table",
        },
        new()
        {
            Inversion = "edit-friendly DDPM",
            Structure = 12.9,
            Psnr = 25.87,
            Lpips = 60.9,
            Ssim = 83.7,
            ClipWhole = 25.4,
            Source = HEditTable,
            Note = "without attention control; rescaled from the units of h-Edit's table",
        },
        new()
        {
            Inversion = "LEDITS++",
            Structure = 23.4,
            Psnr = 23.36,
            Lpips = 88.8,
            Ssim = 81.1,
            ClipWhole = 25.4,
            Source = HEditTable,
            Note = "rescaled from the units of h-Edit's table",
        },
        new()
        {
            Inversion = "h-Edit-D",
            Editor = "prompt-to-prompt",
            Structure = 11.7,
            Psnr = 27.87,
            Lpips = 48.5,
            Ssim = 85.4,
            ClipWhole = 25.3,
            Source = HEditTable,
            Note = "rescaled from the units of h-Edit's table",
        },
        new()
        {
            Inversion = "h-Edit-R",
            Editor = "prompt-to-prompt",
            Structure = 14.5,
            Psnr = 26.97,
            Lpips = 50.8,
            Ssim = 85.0,
            ClipWhole = 25.6,
            Source = HEditTable,
            Note = "rescaled from the units of h-Edit's table",
        },
        new()
        {
            Inversion = "TurboEdit",
            Setting = "another model",
            Psnr = 29.52,
            Lpips = 44.74,
            Mse = 26.08,
            Ssim = 91.59,
            ClipWhole = 25.05,
            ClipEdited = 22.34,
            Source = ViMAEditTable,
            Note = "as quoted by ViMAEdit; another backbone",
        },
        new()
        {
            Inversion = "ViMAEdit",
            Setting = "Stable Diffusion 1.5 with IP-Adapter",
            Structure = 12.43,
            Psnr = 28.49,
            Lpips = 44.39,
            Mse = 29.12,
            Ssim = 86.38,
            ClipWhole = 25.97,
            ClipEdited = 22.85,
            Source = ViMAEditTable,
        },
        new()
        {
            Inversion = "RF-Solver",
            Setting = "FLUX, 60 network evaluations",
            Structure = 31.10,
            Psnr = 22.90,
            ClipWhole = 26.00,
            ClipEdited = 22.88,
            Source = UniEditTable,
        },
        new()
        {
            Inversion = "FireFlow",
            Setting = "FLUX, 32 network evaluations",
            Structure = 28.30,
            Psnr = 23.28,
            ClipWhole = 25.98,
            ClipEdited = 22.94,
            Source = UniEditTable,
            Note = "FireFlow's own page gives structure 27.1, PSNR 23.03, LPIPS 123.6 and CLIP 26.02",
        },
        new()
        {
            Inversion = "UniEdit-Flow, alpha 0.6",
            Setting = "FLUX, 28 network evaluations",
            Structure = 10.14,
            Psnr = 29.54,
            ClipWhole = 25.80,
            ClipEdited = 22.33,
            Source = UniEditTable,
        },
        new()
        {
            Inversion = "KV-Edit",
            Setting = "FLUX",
            Structure = 1.98,
            Psnr = 35.87,
            Lpips = 9.92,
            ClipWhole = 25.63,
            Source = "KV-Edit, results box of its project page",
            Note = "uses the mask of the benchmark for editing",
        },
    ];

    /// <summary>The rows as a Markdown table; "-" where a source gives no number.</summary>
    public static string ToMarkdown()
    {
        StringBuilder text = new("| method |");
        foreach (PublishedColumn column in Columns)
            text.Append(CultureInfo.InvariantCulture, $" {column.Title} |");
        text.Append(" source |\n|---|").Insert(text.Length, "---|", Columns.Count + 1).Append('\n');
        foreach (PublishedResult row in Pie)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {row.Name} |");
            foreach (PublishedColumn column in Columns)
                text.Append(CultureInfo.InvariantCulture, $" {(column.Value(row) is { } value ? value.ToString(CultureInfo.InvariantCulture) : "-")} |");
            text.Append(CultureInfo.InvariantCulture, $" {row.Source}{(row.Note.Length > 0 ? $"; {row.Note}" : "")} |\n");
        }

        return text.ToString();
    }
}
