namespace NullTextResearch.Weights;

/// <summary>Rejects checkpoints in Python's pickle format; the message says why and how to convert them.</summary>
public static class PickleCheckpoint
{
    /// <summary>How to convert one: a sentence with a command.</summary>
    public const string Conversion =
        "convert it once with Python, without running the code in it: python -c \"import torch, safetensors.torch as s; d = torch.load('IN', "
        + "map_location='cpu', weights_only=True); "
        + "d = d.get('state_dict', d); s.save_file({k: v.clone().contiguous() for k, v in d.items() if torch.is_tensor(v)}, 'OUT.safetensors')\"";

    private static readonly string[] Endings = [".ckpt", ".bin", ".pt", ".pth", ".pkl"];

    /// <summary>Whether a file name has the extension of a pickle checkpoint.</summary>
    public static bool IsNamedLikeOne(string path) => Endings.Contains(System.IO.Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>The error for such a file.</summary>
    /// <param name="path">The file.</param>
    public static ModelFormatException Refuse(string path) =>
        new(
            $"{path} is a pickle checkpoint. Opening one can run code from its author, so this library reads none. Use the .safetensors file of the "
                + $"same model if there is one; otherwise {Conversion}"
        );
}
