using NullTextResearch.Weights;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace NullTextResearch.Layers;

/// <summary>Normalisation over groups of channels.</summary>
public sealed class GroupNorm
{
    private readonly WeightPath _at;
    private readonly Weight _weight;
    private readonly Weight _bias;
    private readonly long _groups;
    private readonly double _epsilon;

    /// <summary>Declares gain and bias [<paramref name="channels"/>].</summary>
    public GroupNorm(WeightPath at, long groups, long channels, double epsilon)
    {
        if (channels % groups != 0)
            throw new ArgumentException(
                $"{at.Prefix}: {channels} channels cannot be split into {groups} groups; change norm_num_groups or block_out_channels."
            );
        _at = at;
        _groups = groups;
        _epsilon = epsilon;
        _weight = at.Declare("weight", [channels], WeightInit.Ones);
        _bias = at.Declare("bias", [channels], WeightInit.Zeros);
    }

    /// <summary>Same shape as the input; owned by the caller's dispose scope.</summary>
    public Tensor Forward(Tensor x) => _at.Observed(functional.group_norm(x, _groups, Cast.To(_weight, x), Cast.To(_bias, x), _epsilon));
}
