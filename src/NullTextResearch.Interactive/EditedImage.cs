using System.Globalization;
using NullTextResearch.Editing;
using NullTextResearch.Figures;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Rendering;
using NullTextResearch.Metrics;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Interactive;

/// <summary>An edited image; displays itself next to its source. Owns its tensors.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Png, Mime.Text])]
public sealed class EditedImage : Visual, IDisposable
{
    internal EditedImage(InvertedImage source, EditedPicture picture, RgbImage reconstruction)
    {
        Source = source;
        Picture = picture;
        Reconstruction = reconstruction;
    }

    /// <summary>The inverted image that was edited.</summary>
    public InvertedImage Source { get; }

    /// <summary>The library's result; owned by this object.</summary>
    public EditedPicture Picture { get; }

    /// <summary>Prompt of the edited image.</summary>
    public string Prompt => Picture.Prompt;

    /// <summary>The edited image.</summary>
    public RgbImage Image => Picture.Image;

    /// <summary>The source branch, which ran alongside the edit.</summary>
    public RgbImage Reconstruction { get; }

    /// <summary>Latents, masks and costs, as the library's own functions take them.</summary>
    public EditResult Result => Picture.Result;

    /// <summary>Options used.</summary>
    public EditOptions Options => Picture.Options;

    /// <summary>Distance to the source image: one minus the structural similarity over up to three scales, 0 (equal) to about 1 (unrelated).</summary>
    public double Distance => MultiScaleDistance.Of(Source.Image, Image);

    /// <summary>Where the edit was allowed to change the picture: the mask of the local blend, or of the editor, over the source.</summary>
    /// <exception cref="InvalidOperationException">The edit had no mask.</exception>
    public ImageView Mask()
    {
        if (Result.Masks[0][0] is not { } mask)
            throw new InvalidOperationException(
                "This edit had no local blend, so the whole picture could change. Set EditOptions.Blend to the words that the edit should be confined to."
            );
        using DisposeScope scope = NewDisposeScope();
        // Row 1 is the mask that blends the target's latents.
        Tensor final = mask.Final.select(0, 1).squeeze(0).to(ScalarType.Float32).cpu().contiguous();
        RgbImage over = HeatmapOverlay.Over(Source.Image, final.data<float>().ToArray(), (int)final.shape[1], (int)final.shape[0]);
        return new ImageView(
            [new NamedImage("source", Source.Image), new NamedImage("may change", over), new NamedImage("edit", Image)],
            Options.Blend.Count == 0 ? "area that the edit was confined to" : $"local blend around {string.Join(", ", Options.Blend)}"
        );
    }

    /// <summary>Frees its tensors; displayed outputs stay.</summary>
    public void Dispose() => Picture.Dispose();

    private protected override Rendition Draw()
    {
        CompareView compare = new(
            [new NamedImage("source", Source.Image), new NamedImage("reconstruction", Reconstruction), new NamedImage("edit", Image)],
            $"{Source.Prompt} → {Prompt}"
        );
        string facts = string.Create(
            CultureInfo.InvariantCulture,
            $"{Describe(Result.Edits[0].Targets[0].Edit)}, w = {Options.GuidanceScale ?? Source.Inversion.GuidanceScale}: distance to the source "
                + $"{Distance:0.000}, {Result.Evaluations} network evaluations, {Result.Elapsed.TotalSeconds:0.0} s"
        );
        return new Rendition($"\"{Source.Prompt}\" -> \"{Prompt}\", {facts}")
        {
            Html = id => compare.ToHtml() + Markup.View(id, "facts", $"<div class=\"nt-note\">{Markup.Text(facts)}</div>"),
            Png = compare.ToPng,
        };
    }

    private static string Describe(PromptEdit edit) =>
        edit switch
        {
            WordSwap => "word swap",
            Refinement => "refinement",
            ReWeight { After: { } after } r => $"{Describe(after)}, then {Describe(r with { After = null })}",
            ReWeight r => "re-weighting of " + string.Join(", ", r.Factors.Select(f => string.Create(CultureInfo.InvariantCulture, $"{f.Word} x {f.Factor}"))),
            _ => edit.GetType().Name,
        };
}
