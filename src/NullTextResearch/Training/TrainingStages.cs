namespace NullTextResearch.Training;

/// <summary>Parts of a training run. Each needs the ones before it, but for the decoder and the classifier, which need the autoencoder alone.</summary>
[Flags]
public enum TrainingStages
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Autoencoder; its encoder, and so the latents, are final after it.</summary>
    Vae = 1,

    /// <summary>Text encoder and U-Net.</summary>
    UNet = 2,

    /// <summary>The judge of samples.</summary>
    Classifier = 4,

    /// <summary>More training of the decoder alone.</summary>
    Decoder = 8,

    /// <summary>Everything.</summary>
    All = Vae | UNet | Classifier | Decoder,
}
