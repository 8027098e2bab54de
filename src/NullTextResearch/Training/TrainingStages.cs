namespace NullTextResearch.Training;

/// <summary>
/// Stages of a training run. Each needs the ones before it, except the decoder, the classifier and the CLIP, which need only the autoencoder.
/// </summary>
[Flags]
public enum TrainingStages
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Autoencoder; afterwards its encoder, and hence the latents, are final.</summary>
    Vae = 1,

    /// <summary>Text encoder and U-Net.</summary>
    UNet = 2,

    /// <summary>The classifier that judges samples.</summary>
    Classifier = 4,

    /// <summary>Further training of the decoder alone.</summary>
    Decoder = 8,

    /// <summary>A small CLIP for text-image metrics.</summary>
    Clip = 16,

    /// <summary>Everything.</summary>
    All = Vae | UNet | Classifier | Decoder | Clip,
}
