using System.Globalization;
using System.Text.RegularExpressions;
using NullTextResearch.Diffusion;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using NullTextResearch.Weights;

namespace NullTextResearch.Loading;

/// <summary>The layout of an original single-file checkpoint, inferred from the names and shapes of its tensors.</summary>
internal sealed partial class SingleFileLayout
{
    public required UNetConfig UNet { get; init; }

    public required VaeConfig Vae { get; init; }

    public required ClipTextConfig Text { get; init; }

    public required ScheduleConfig Schedule { get; init; }

    /// <summary>Whether the prediction type is a guess that the network itself should confirm.</summary>
    public required bool PredictionIsGuessed { get; init; }

    public bool IsOpenClip { get; init; }

    public required IReadOnlyList<string> Notes { get; init; }

    public Func<string, IReadOnlyList<KeySource>> TextKeys => IsOpenClip ? SingleFileKeys.OpenClip : SingleFileKeys.Clip;

    /// <summary>Reads the layout.</summary>
    /// <exception cref="ModelFormatException">It is another kind of file, or a model that is not supported.</exception>
    public static SingleFileLayout Read(Checkpoint file, ModelLoadOptions options)
    {
        SingleFileDiagnosis.RequireStableDiffusion(file);
        SingleFileLayout layout = new SingleFileReader(file, options).Read();
        layout.UNet.Require(file.Path);
        layout.Vae.Require(file.Path);
        return layout;
    }

    /// <summary>Keys that the U-Net may leave unused: those of the other parts.</summary>
    public static bool IsOutsideUNet(string key) => !key.StartsWith(SingleFileKeys.UNetPrefix, StringComparison.Ordinal);

    /// <summary>Keys that the averaged U-Net may leave unused: those of the other parts, and the average's own bookkeeping.</summary>
    public static bool IsOutsideEma(string key) => !key.StartsWith(SingleFileKeys.EmaPrefix + "diffusion_model", StringComparison.Ordinal);

    /// <summary>Keys that the autoencoder may leave unused.</summary>
    public static bool IsOutsideVae(string key) =>
        !key.StartsWith(SingleFileKeys.VaePrefix, StringComparison.Ordinal)
        || key.StartsWith(SingleFileKeys.VaePrefix + "loss.", StringComparison.Ordinal)
        || key.StartsWith(SingleFileKeys.VaePrefix + "model_ema.", StringComparison.Ordinal);

    /// <summary>Keys that the text encoder may leave unused.</summary>
    public bool IsOutsideText(string key)
    {
        if (!key.StartsWith("cond_stage_model.", StringComparison.Ordinal) || CheckpointKeys.IsIgnored(key))
            return true;
        if (!IsOpenClip)
            return key is "cond_stage_model.logit_scale" or SingleFileKeys.ClipPrefix + "text_projection.weight";
        if (!key.StartsWith(SingleFileKeys.OpenClipPrefix, StringComparison.Ordinal))
            return false;
        string rest = key[SingleFileKeys.OpenClipPrefix.Length..];
        // Layers above the penultimate one are not used, nor is the projection of text to the image embedding.
        return rest is "text_projection" or "text_projection.weight" or "logit_scale" or "attn_mask"
            || (
                Block().Match(rest) is { Success: true } block
                && int.TryParse(block.Groups[1].Value, CultureInfo.InvariantCulture, out int layer)
                && layer >= Text.Layers
            );
    }

    [GeneratedRegex(@"^transformer\.resblocks\.(\d+)\.")]
    private static partial Regex Block();
}
