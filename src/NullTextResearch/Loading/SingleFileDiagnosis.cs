using NullTextResearch.Weights;

namespace NullTextResearch.Loading;

/// <summary>Identifies a weight file that is not Stable Diffusion 1.x or 2.x.</summary>
internal static class SingleFileDiagnosis
{
    private const string Expected =
        "Expected: a complete Stable Diffusion 1.x or 2.x checkpoint in the original layout (model.diffusion_model.*, first_stage_model.*, "
        + "cond_stage_model.*), or a diffusers-format folder.";

    // A file with these marks is one of these, whatever else it contains.
    private static readonly (Func<Checkpoint, bool> Fits, string What)[] Others =
    [
        (
            f =>
                Any(f, k => k.StartsWith("conditioner.embedders.", StringComparison.Ordinal))
                || Any(f, k => k.Contains("label_emb.", StringComparison.Ordinal)),
            "Stable Diffusion XL or another model with two text encoders, which is not supported"
        ),
        (f => Any(f, k => k.Contains("joint_blocks.", StringComparison.Ordinal)), "Stable Diffusion 3, which has no U-Net and is not supported"),
        (f => Any(f, k => k.Contains("double_blocks.", StringComparison.Ordinal)), "FLUX, which has no U-Net and is not supported"),
        (
            f => Any(f, k => k.Contains("time_stack.", StringComparison.Ordinal) || k.Contains("motion_modules.", StringComparison.Ordinal)),
            "a video model, which is not supported"
        ),
    ];

    // Marks of files that are not models by themselves; in a complete model they are leftovers, which a note lists.
    private static readonly (Func<Checkpoint, bool> Fits, string What)[] Pieces =
    [
        (
            f =>
                Any(
                    f,
                    k =>
                        k.Contains("lora_down", StringComparison.Ordinal)
                        || k.Contains("lora_A", StringComparison.Ordinal)
                        || k.StartsWith("lora_", StringComparison.Ordinal)
                        || k.Contains("hada_w1", StringComparison.Ordinal)
                ),
            "a LoRA, a small correction to another model. Merge it into its base model first"
        ),
        (
            f => Any(f, k => k.StartsWith("control_model.", StringComparison.Ordinal) || k.StartsWith("controlnet_", StringComparison.Ordinal)),
            "a ControlNet, which guides another model and is not a model by itself"
        ),
        (
            f => f.Has("emb_params") || f.Has("string_to_param") || (f.Entries.Count() <= 4 && f.Has("clip_l")),
            "a textual-inversion embedding, a new word for another model"
        ),
        (
            f => f.Has("time_embedding.linear_1.weight") && Any(f, k => k.StartsWith("down_blocks.", StringComparison.Ordinal)),
            "the U-Net of a diffusers-format folder. Give the model's folder: the one that contains unet/, vae/ and text_encoder/"
        ),
        (
            f => Any(f, k => k.StartsWith("encoder.down_blocks.", StringComparison.Ordinal)),
            "the autoencoder of a diffusers-format folder. Give the model's folder: the one that contains unet/, vae/ and text_encoder/"
        ),
        (
            f => Any(f, k => k.StartsWith("text_model.encoder.layers.", StringComparison.Ordinal)),
            "a text encoder in transformers' layout. Give the model's folder: the one that contains unet/, vae/ and text_encoder/"
        ),
        (
            f => Any(f, k => k.StartsWith("encoder.down.", StringComparison.Ordinal) || k.StartsWith("decoder.up.", StringComparison.Ordinal)),
            "an autoencoder alone, in the original layout; a U-Net and a text encoder are needed too"
        ),
        (
            f => Any(f, k => k.StartsWith("diffusion_model.", StringComparison.Ordinal) || k.StartsWith("input_blocks.", StringComparison.Ordinal)),
            "a U-Net alone, in the original layout; an autoencoder and a text encoder are needed too"
        ),
    ];

    /// <summary>Rejects a file that is not Stable Diffusion 1.x or 2.x.</summary>
    public static void RequireStableDiffusion(Checkpoint file)
    {
        const string At = SingleFileKeys.UNetPrefix;
        bool original = file.Has(At + "input_blocks.0.0.weight");
        bool complete =
            original
            && file.Has(SingleFileKeys.VaePrefix + "encoder.conv_in.weight")
            && Any(file, k => k.StartsWith("cond_stage_model.", StringComparison.Ordinal) && k.EndsWith("token_embedding.weight", StringComparison.Ordinal));
        foreach ((Func<Checkpoint, bool> fits, string what) in complete ? Others : Others.Concat(Pieces))
        {
            if (fits(file))
                throw new ModelFormatException($"{file.Path} is {what}. {(original ? "" : Expected)}".TrimEnd());
        }
        if (!original)
        {
            string[] names = [.. file.Entries.Select(e => e.Name).Order(StringComparer.Ordinal)];
            throw new ModelFormatException(
                $"{file.Path} is not a Stable Diffusion checkpoint. Found {names.Length} tensors: "
                    + $"{string.Join(", ", names.Take(6).Select(name => Excerpt.Of(name)))}{(names.Length > 6 ? ", ..." : "")}. {Expected}"
            );
        }
        long channels = file.Find(At + "input_blocks.0.0.weight")!.Shape is { Count: 4 } shape ? shape[1] : 0;
        if (channels != 4)
        {
            string what = channels switch
            {
                9 => "an inpainting model (latents, masked latents and mask: 9 channels)",
                8 => "a model that takes an image in addition to the latents (InstructPix2Pix: 8 channels)",
                7 => "an upscaler (7 channels)",
                5 => "a model that takes a depth map in addition to the latents (5 channels)",
                _ => $"a model whose U-Net takes {channels} channels",
            };
            throw new ModelFormatException($"{file.Path} is {what}; null-text inversion needs a plain text-to-image model with 4. Use its base model.");
        }
        if (Any(file, k => k.StartsWith(At, StringComparison.Ordinal) && k.Contains(".transformer_blocks.1.", StringComparison.Ordinal)))
            throw new ModelFormatException(
                $"{file.Path} has several transformer blocks in a row, as Stable Diffusion XL does, which is not supported. {Expected}"
            );
    }

    private static bool Any(Checkpoint file, Func<string, bool> fits) => file.Entries.Any(e => fits(e.Name));
}
