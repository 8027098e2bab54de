using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// What the updates of one timestep have shown of the loss's curvature, image by image: limited-memory BFGS in the two-loop recursion of Nocedal and Wright,
/// Numerical Optimization (2006), Algorithm 7.4.
/// </summary>
/// <remarks>Its tensors belong to the dispose scope around the one in which <see cref="Uphill"/> is called.</remarks>
/// <param name="size">How many updates are remembered; 0 turns it into the gradient.</param>
/// <param name="images">How many images there are.</param>
internal sealed class CurvatureMemory(int size, int images)
{
    private readonly List<(Tensor Move, Tensor Change)>[] _pairs = [.. Enumerable.Range(0, images).Select(_ => new List<(Tensor, Tensor)>())];
    private readonly (Tensor Embedding, Tensor Gradient)?[] _last = new (Tensor, Tensor)?[images];

    /// <summary>The direction in which the loss rises fastest as far as the remembered curvature tells: the gradient where there is none.</summary>
    /// <param name="moving">The images.</param>
    /// <param name="embedding">Their embeddings, [rows, tokens, d]; borrowed.</param>
    /// <param name="gradient">The loss's gradients there; borrowed, and returned where nothing is remembered.</param>
    /// <param name="lengths">Length of the next trial, of all images; that of the direction for those with a memory.</param>
    /// <returns>[rows, tokens, d], in the caller's dispose scope.</returns>
    public Tensor Uphill(int[] moving, Tensor embedding, Tensor gradient, double[] lengths)
    {
        if (size == 0)
            return gradient;
        List<Tensor> directions = [];
        foreach ((int row, int image) in moving.Index())
        {
            Tensor at = embedding.narrow(0, row, 1).clone().MoveToOuterDisposeScope(),
                slope = gradient.narrow(0, row, 1).clone().MoveToOuterDisposeScope();
            if (_last[image] is { } last)
                Remember(_pairs[image], at.sub(last.Embedding), slope.sub(last.Gradient));
            _last[image] = (at, slope);
            Tensor direction = Times(_pairs[image], slope);
            // Rounding can turn a direction of descent around: then what was remembered is of no use.
            if (_pairs[image].Count == 0 || !(Dot(direction, slope) > 0))
            {
                _pairs[image].Clear();
                directions.Add(slope);
                continue;
            }
            lengths[image] = Math.Sqrt(Dot(direction, direction));
            directions.Add(direction);
        }
        return cat(directions);
    }

    private void Remember(List<(Tensor, Tensor)> pairs, Tensor move, Tensor change)
    {
        // Only where the loss curves upwards does the pair describe a minimum.
        if (!(Dot(move, change) > 0))
            return;
        pairs.Add((move.MoveToOuterDisposeScope(), change.MoveToOuterDisposeScope()));
        if (pairs.Count > size)
            pairs.RemoveAt(0);
    }

    /// <summary>The inverse of the remembered curvature times a gradient.</summary>
    private static Tensor Times(List<(Tensor Move, Tensor Change)> pairs, Tensor gradient)
    {
        if (pairs.Count == 0)
            return gradient;
        Tensor q = gradient;
        double[] shares = new double[pairs.Count];
        for (int k = pairs.Count - 1; k >= 0; k--)
        {
            shares[k] = Dot(pairs[k].Move, q) / Dot(pairs[k].Move, pairs[k].Change);
            q = q.sub(pairs[k].Change.Times(shares[k]));
        }
        (Tensor move, Tensor change) = pairs[^1];
        Tensor r = q.Times(Dot(move, change) / Dot(change, change));
        for (int k = 0; k < pairs.Count; k++)
            r = r.Plus(pairs[k].Move.Times(shares[k] - (Dot(pairs[k].Change, r) / Dot(pairs[k].Move, pairs[k].Change))));
        return r;
    }

    private static double Dot(Tensor a, Tensor b)
    {
        using DisposeScope scope = NewDisposeScope();
        return EmbeddingGradient.ToDoubles(a.mul(b).sum())[0];
    }
}
