using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>The latents of an inverted image at every noise level, z*_0 (clean) to z*_T (noisiest).</summary>
public sealed class PivotTrajectory : IDisposable
{
    private readonly UseGate _gate = new(nameof(PivotTrajectory));
    private readonly Tensor[] _levels;

    /// <summary>Takes copies of the latents, clean first.</summary>
    public PivotTrajectory(IEnumerable<Tensor> levels) => _levels = [.. levels.Select(z => z.Snapshot())];

    /// <summary>T, the number of moves.</summary>
    public int Steps => _levels.Length - 1;

    /// <summary>Latents at noise level 0..T, [B, 4, H, W]; borrowed.</summary>
    public Tensor this[int level] => _gate.Alive(_levels)[level];

    /// <summary>z*_T; borrowed.</summary>
    public Tensor Noisiest => this[Steps];

    /// <summary>z*_0; borrowed.</summary>
    public Tensor Clean => this[0];

    /// <summary>The latents that a sampler should have after a step.</summary>
    public Tensor TargetOf(DiffusionStep step) => this[Steps - step.Step - 1];

    /// <summary>The trajectory of one image, owned by the caller.</summary>
    public PivotTrajectory Image(int index)
    {
        using UseGate.Lease use = _gate.Use();
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        return new PivotTrajectory(_levels.Select(z => z.narrow(0, index, 1)));
    }

    /// <summary>A copy, owned by the caller.</summary>
    public PivotTrajectory Copy()
    {
        using UseGate.Lease use = _gate.Use();
        return new PivotTrajectory(_levels);
    }

    /// <inheritdoc/>
    public void Dispose() =>
        _gate.Close(() =>
        {
            foreach (Tensor level in _levels)
                level.Dispose();
        });
}
