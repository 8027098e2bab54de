using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>DDIM sampling that adds an offset to the source rows after each move, which puts them back on a path (direct inversion).</summary>
/// <param name="offsets">[T, images, 4, H, W]; owned by this object.</param>
public sealed class OffsetReplay(Tensor offsets) : IReplay
{
    /// <summary>Name in files.</summary>
    public const string Kind = "offsets";

    private readonly UseGate _gate = new(nameof(OffsetReplay));

    /// <summary>[T, images, 4, H, W]; borrowed.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public Tensor Offsets => _gate.Alive(offsets);

    /// <inheritdoc/>
    public ReplayData Data => new(Kind, new Dictionary<string, double>(), new Dictionary<string, Tensor> { [Kind] = Offsets });

    /// <inheritdoc/>
    /// <remarks>Edited versions stay free: only source rows are corrected.</remarks>
    public LatentState Move(LatentState state, DiffusionStep step, Func<Tensor, Tensor> noise, BatchLayout rows)
    {
        using UseGate.Lease use = _gate.Use();
        return new LatentState(
            Lifetime.Scoped(() =>
            {
                Tensor moved = Ddim.Move(state.Latents, noise(state.Latents), step.Noisy, step.Clean);
                Tensor own = offsets.select(0, step.Step);
                for (int row = 0; row < rows.Count; row++)
                {
                    if (rows[row].IsSource)
                        moved.narrow(0, row, 1).PlusInPlace(own.narrow(0, rows[row].Image, 1));
                }
                return moved;
            })
        );
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Close(offsets.Dispose);
}
