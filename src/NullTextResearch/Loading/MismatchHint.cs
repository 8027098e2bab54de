using NullTextResearch.Weights;

namespace NullTextResearch.Loading;

/// <summary>Identifies weights that do not fit their config.</summary>
internal static class MismatchHint
{
    private const string UNetText = ".attn2.to_k.weight";

    public static string For(string part, Checkpoint checkpoint, ModelSource source)
    {
        string nearest = part == "unet" ? $" {KnownModels.Nearest(source.UNet)}" : "";
        return $"{Found(part, checkpoint)}Check that config and weights come from the same model: download both again from the same place.{nearest}";
    }

    // Inferred from the width of the text embedding, which differs between all published families.
    private static string Found(string part, Checkpoint checkpoint)
    {
        SafetensorsEntry[] entries = [.. checkpoint.Entries];
        if (part == "unet" && Array.Find(entries, e => e.Name.EndsWith(UNetText, StringComparison.Ordinal) && e.Shape.Count == 2) is { } keys)
            return $"The weights expect text embeddings of width {keys.Shape[1]}, from {KnownModels.TextEncoderOf(keys.Shape[1])}. ";
        if (
            part == "text_encoder"
            && Array.Find(entries, e => e.Name.EndsWith("token_embedding.weight", StringComparison.Ordinal) && e.Shape.Count == 2) is { } tokens
        )
            return $"The weights produce embeddings of width {tokens.Shape[1]}: {KnownModels.TextEncoderOf(tokens.Shape[1])}. ";
        return "";
    }
}
