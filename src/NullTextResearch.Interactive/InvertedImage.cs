using System.Globalization;
using NullTextResearch.Diffusion;
using NullTextResearch.Figures;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Rendering;
using NullTextResearch.Inversion;

namespace NullTextResearch.Interactive;

/// <summary>An inverted image; displays itself next to its reconstruction and can be edited any number of times. Owns its tensors.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Png, Mime.Text])]
public sealed class InvertedImage : Visual, IDisposable
{
    internal InvertedImage(InvertedPicture picture) => Picture = picture;

    /// <summary>The library's result, which its own functions take; owned by this object.</summary>
    public InvertedPicture Picture { get; }

    /// <summary>The image at the model's size.</summary>
    public RgbImage Image => Picture.Image;

    /// <summary>Its prompt.</summary>
    public string Prompt => Picture.Prompt;

    /// <summary>Name of the method.</summary>
    public string Method => Inversion.Method;

    /// <summary>The image encoded and decoded by the autoencoder: the upper bound for any inversion.</summary>
    public RgbImage RoundTrip => Picture.RoundTrip;

    /// <summary>The image reconstructed from noise by guided sampling.</summary>
    public RgbImage Reconstruction => Picture.Reconstruction;

    /// <summary>PSNR of the reconstruction against the image, dB.</summary>
    public double ReconstructionPsnr => Picture.Psnr;

    /// <summary>PSNR of the autoencoder's round trip against the image, dB: the upper bound.</summary>
    public double RoundTripPsnr => Picture.RoundTripPsnr;

    /// <summary>Start latents, embeddings, pivot and losses, as the library's own functions take them.</summary>
    public InversionResult Inversion => Picture.Inversion;

    /// <summary>Timestep grid.</summary>
    public TimestepGrid Grid => Picture.Grid;

    /// <summary>Options used.</summary>
    public InvertOptions Options => Picture.Options;

    /// <summary>Distance of each step's unconditional embedding from the empty prompt's, relative to the latter's length; step 0 is the noisiest.</summary>
    public IReadOnlyList<double> EmbeddingDistance => Picture.EmbeddingDistance;

    /// <summary>Chart of the loss per step, before the first and before the last update.</summary>
    /// <exception cref="InvalidOperationException">The method does not optimise, so it has no losses.</exception>
    public ChartView LossChart()
    {
        if (Losses is not { } losses)
            throw new InvalidOperationException($"{Method} does not optimise, so it has no losses. Null-text inversion does.");
        double[] steps = [.. losses.Select(l => (double)l.Step)];
        return new ChartView(
            new LineChart
            {
                Title = $"Loss of {Method}",
                XAxis = new Axis("step (0 = noisiest)"),
                YAxis = new Axis("mean squared distance to the pivot") { Scale = AxisScale.Log },
                Height = 320,
                Series =
                [
                    new LineSeries("before the first update", steps, [.. losses.Select(l => l.First)]) { Markers = false },
                    new LineSeries("before the last update", steps, [.. losses.Select(l => l.Last)]) { Emphasis = true, Markers = false },
                ],
            }
        );
    }

    /// <summary>Chart of each step's distance between the unconditional embedding and the empty prompt.</summary>
    public ChartView EmbeddingChart()
    {
        double[] steps = [.. EmbeddingDistance.Select((_, i) => (double)i)];
        return new ChartView(
            new LineChart
            {
                Title = "What the null text learned",
                XAxis = new Axis("step (0 = noisiest)"),
                YAxis = new Axis("distance to the empty prompt"),
                Height = 320,
                Series = [new LineSeries(Method, steps, EmbeddingDistance) { Emphasis = true, Markers = false }],
            }
        );
    }

    /// <summary>Frees its tensors; displayed outputs stay.</summary>
    public void Dispose() => Picture.Dispose();

    private IReadOnlyList<(int Step, double First, double Last)>? Losses
    {
        get
        {
            if (Inversion.Optimisation is not [var only, ..])
                return null;
            (int, double, double)[] losses =
            [
                .. only.Select((step, i) => (i, step)).Where(p => p.step.Losses.Count > 0).Select(p => (p.i, p.step.Losses[0], p.step.Losses[^1])),
            ];
            return losses.Length > 1 ? losses : null;
        }
    }

    private protected override Rendition Draw()
    {
        CompareView compare = new(
            [new NamedImage("image", Image), new NamedImage("autoencoder", RoundTrip), new NamedImage("reconstruction", Reconstruction)],
            Prompt
        );
        string facts = string.Create(
            CultureInfo.InvariantCulture,
            $"{Method}, T = {Grid.Steps}, w = {Inversion.GuidanceScale}: PSNR {ReconstructionPsnr:0.0} dB (autoencoder {RoundTripPsnr:0.0} dB), "
                + $"{Inversion.EvaluationsPerImage:0} network evaluations, {Inversion.BackwardsPerImage:0} with a backward pass, "
                + $"{Inversion.Elapsed.TotalSeconds:0.0} s"
        );
        return new Rendition($"\"{Prompt}\", {facts}")
        {
            Html = id => compare.ToHtml() + Markup.View(id, "facts", $"<div class=\"nt-note\">{Markup.Text(facts)}</div>"),
            Png = compare.ToPng,
        };
    }
}
