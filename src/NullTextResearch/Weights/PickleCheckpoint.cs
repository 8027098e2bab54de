namespace NullTextResearch.Weights;

/// <summary>Checkpoints in Python's pickle format are refused; this says why, and the way out.</summary>
public static class PickleCheckpoint
{
    /// <summary>How to convert one: a sentence with a command.</summary>
    public const string Conversion =
        "convert it once, with Python and without running what is in it: python -c \"import torch, safetensors.torch as s; d = torch.load('IN', "
        + "map_location='cpu', weights_only=True); "
        + "d = d.get('state_dict', d); s.save_file({k: v.clone().contiguous() for k, v in d.items() if torch.is_tensor(v)}, 'OUT.safetensors')\"";

    private static readonly string[] Endings = [".ckpt", ".bin", ".pt", ".pth", ".pkl"];

    /// <summary>Whether a file name is that of a pickle checkpoint.</summary>
    public static bool IsNamedLikeOne(string path) => Endings.Contains(System.IO.Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>The refusal.</summary>
    /// <param name="path">The file.</param>
    public static ModelFormatException Refuse(string path) =>
        new(
            $"{path} is a pickle checkpoint. Opening one can run code that its author put in, so none is read here. Take the .safetensors file of the "
                + $"same model where there is one; otherwise {Conversion}"
        );
}
