using NullTextResearch.Attention;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>Edited images. Owns its tensors.</summary>
/// <remarks>
/// Several threads may read a result at the same time. After <see cref="Dispose"/>, every property and method that returns tensors throws
/// <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class EditResult : IDisposable
{
    private readonly UseGate _gate = new(nameof(EditResult));

    /// <summary>z_0 of all branches, [rows, 4, H, W]: for each image, the source and then its targets.</summary>
    public required Tensor Latents
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>The requested edits.</summary>
    public required IReadOnlyList<ImageEdit> Edits { get; init; }

    /// <summary>Masks that confined the edit at the last step, per image and target; null if the target has no local blend and the editor no mask.</summary>
    public required IReadOnlyList<IReadOnlyList<BlendMask?>> Masks
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>Edited attention maps of all branches (rows as in <see cref="Latents"/>); null if they were not kept.</summary>
    public AttentionStore? Maps
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>Attention layers that the edit reached; 0 for an editor that changes nothing inside the network.</summary>
    public required int AttentionLayers { get; init; }

    /// <summary>Total network evaluations (one latent with one embedding each).</summary>
    public required long Evaluations { get; init; }

    /// <summary>How many of them were followed by a backward pass.</summary>
    public long Backwards { get; init; }

    /// <summary>Elapsed time.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Options used.</summary>
    public required EditorOptions Options { get; init; }

    /// <summary>Row of a branch in <see cref="Latents"/> and in the maps.</summary>
    /// <param name="image">Image, from 0.</param>
    /// <param name="target">Target, from 0; null for the source.</param>
    public int Row(int image = 0, int? target = null) => Edits.Take(image).Sum(e => e.Rows) + (target is { } t ? 1 + t : 0);

    /// <summary>z_0 of the source branch of an image, [1, 4, H, W]; a view owned by the caller's dispose scope.</summary>
    public Tensor Source(int image = 0) => View(Row(image));

    /// <summary>z_0 of a target, [1, 4, H, W]; a view owned by the caller's dispose scope.</summary>
    public Tensor Target(int target = 0, int image = 0) => View(Row(image, target));

    /// <summary>Frees the tensors. Calling it again has no effect.</summary>
    public void Dispose() =>
        _gate.Close(() =>
        {
            Latents.Dispose();
            foreach (BlendMask? mask in Masks.SelectMany(m => m))
                mask?.Dispose();
            Maps?.Dispose();
        });

    private Tensor View(int row)
    {
        using UseGate.Lease use = _gate.Use();
        return Latents.narrow(0, row, 1);
    }
}
