using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Adam on the rows of one tensor, without weight decay. Uses the arithmetic and order of PyTorch's single-tensor implementation, so that a batch of rows takes
/// the same steps as each row alone. Rows can be dropped as images finish.
/// </summary>
internal sealed class RowAdam(AdamOptions options) : IDisposable
{
    private Tensor? _mean;
    private Tensor? _square;
    private int _steps;

    /// <summary>Changes <paramref name="parameter"/> in place.</summary>
    public void Update(Tensor parameter, Tensor gradient, double learningRate)
    {
        Shape.RequireSame(gradient, parameter);
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        _mean ??= zeros_like(parameter).Keep();
        _square ??= zeros_like(parameter).Keep();
        _steps++;
        // These scalars live until the calls have returned: see ScalarArithmetic.
        using TorchSharp.Scalar beta1 = options.Beta1,
            beta2 = options.Beta2,
            share1 = 1 - options.Beta1,
            share2 = 1 - options.Beta2,
            epsilon = options.Epsilon,
            one = 1;
        using TorchSharp.Scalar correction = Math.Sqrt(1 - Math.Pow(options.Beta2, _steps)),
            stepSize = -learningRate / (1 - Math.Pow(options.Beta1, _steps));
        _mean.mul_(beta1).add_(gradient, alpha: share1);
        _square.mul_(beta2).addcmul_(gradient, gradient, share2);
        Tensor denominator = _square.sqrt().div_(correction).add_(epsilon, one);
        parameter.addcdiv_(_mean, denominator, stepSize);
    }

    /// <summary>Keeps only the state of the given rows.</summary>
    public void Select(Tensor rows)
    {
        _mean = Replace(_mean, rows);
        _square = Replace(_square, rows);
    }

    private static Tensor? Replace(Tensor? state, Tensor rows)
    {
        if (state is null)
            return null;
        Tensor kept = state.index_select(0, rows).Keep();
        state.Dispose();
        return kept;
    }

    public void Dispose()
    {
        _mean?.Dispose();
        _square?.Dispose();
    }
}
