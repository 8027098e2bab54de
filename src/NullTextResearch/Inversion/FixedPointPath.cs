using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Inversion that evaluates the network at the latents to be reached, not at those it starts from: each step iteratively solves y = move(z, eps(y, t)), the
/// same equation that sampling uses in the other direction. Fixed-point inversion (Meiri et al. 2023, arXiv 2312.12540v1) and AIDI (Pan et al. 2023, arXiv
/// 2309.04907).
/// </summary>
/// <param name="options">Options; null for the defaults.</param>
public sealed class FixedPointPath(FixedPointOptions? options = null) : IPath
{
    private readonly FixedPointOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => _options.Solver == FixedPointSolver.Picard ? "fixed-point inversion" : $"fixed-point inversion ({_options.Solver})";

    /// <summary>Receives the move and every value of the map, [B, 4, H, W], borrowed, for convergence plots; null to disable.</summary>
    public Action<DiffusionStep, Tensor>? Observer { get; init; }

    /// <inheritdoc/>
    public Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        _options.Validate();
        return new Walk
        {
            Levels = problem.Climb(
                Name,
                (z, step) =>
                {
                    return _options.Solver switch
                    {
                        FixedPointSolver.Averaged => Averaged(Map, z),
                        FixedPointSolver.Anderson => Anderson(Map, z),
                        _ => Picard(Map, z),
                    };

                    Tensor Map(Tensor y)
                    {
                        cancellation.ThrowIfCancellationRequested();
                        Tensor value = Lifetime.Scoped(() => Ddim.Move(z, problem.Predict(y, step, _options.GuidanceScale), step.Clean, step.Noisy));
                        Observer?.Invoke(step, value);
                        return value;
                    }
                },
                progress,
                cancellation
            ),
        };
    }

    private Tensor Picard(Func<Tensor, Tensor> map, Tensor z)
    {
        Tensor y = z;
        for (int i = 0; i < Math.Max(1, _options.Iterations); i++)
            y = map(y);
        return y;
    }

    private Tensor Averaged(Func<Tensor, Tensor> map, Tensor z)
    {
        // Values of the map at the last two iterates; the older one is known from the previous iteration.
        Tensor q = map(z);
        Tensor before = q;
        for (int i = 0; i < _options.Iterations; i++)
        {
            Tensor now = map(q);
            q = before.Times(0.5).Plus(now.Times(0.5));
            before = now;
        }
        return q;
    }

    private Tensor Anderson(Func<Tensor, Tensor> map, Tensor z)
    {
        Tensor u = map(z);
        List<Tensor> iterates = [],
            values = [],
            residuals = [];
        for (int k = 0; k < _options.Iterations; k++)
        {
            Tensor y = u;
            if (k > 0)
            {
                residuals.Add(u.sub(iterates[^1]));
                values.Add(u);
                foreach (List<Tensor> list in (List<Tensor>[])[residuals, values, iterates])
                {
                    if (list.Count > _options.Window + 1)
                        list.RemoveAt(0);
                }
                y = Mix(residuals, values);
            }
            iterates.Add(y);
            u = map(y);
        }
        return u;
    }

    /// <summary>sum_j a_j u_j with a ~ (R R^T)^-1 1, per image: the affine combination with the smallest combined residual.</summary>
    private static Tensor Mix(List<Tensor> residuals, List<Tensor> values) =>
        Lifetime.Scoped(() =>
        {
            // [B, m, n] in float64: near convergence the products differ only in their last digits.
            Tensor r = stack(residuals, 1).flatten(2).to(ScalarType.Float64);
            Tensor products = r.bmm(r.transpose(1, 2));
            Tensor ones = torch.ones([products.shape[0], products.shape[1], 1], ScalarType.Float64, r.device);
            // The pseudo-inverse ignores directions that carry no information.
            Tensor weights = linalg.pinv(products, hermitian: true).bmm(ones);
            Tensor sum = weights.sum(1, keepdim: true);
            // Exactly converged: there is nothing to mix, so the last value is kept.
            Tensor usable = sum.abs().Above(1e-300);
            double[] newest = [.. Enumerable.Repeat(0.0, (int)weights.shape[1] - 1), 1];
            Tensor last = tensor(newest, device: weights.device).view(1, -1, 1).expand(weights.shape);
            Tensor normal = where(usable, weights.div(where(usable, sum, ones_like(sum))), last).to(values[0].dtype);
            return stack(values, 1).mul(normal.view(normal.shape[0], normal.shape[1], 1, 1, 1)).sum(1);
        });
}
