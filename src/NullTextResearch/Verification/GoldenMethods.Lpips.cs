using NullTextResearch.Images;
using NullTextResearch.Perception;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

internal sealed partial class GoldenMethods
{
    private void Lpips()
    {
        Tensor a = ImageTensor.ToPixels(Picture("a_u8"), dtype: _dtype),
            b = ImageTensor.ToPixels(Picture("b_u8"), dtype: _dtype);
        foreach (LpipsBackbone backbone in Enum.GetValues<LpipsBackbone>())
        {
            using DisposeScope scope = NewDisposeScope();
            string prefix = backbone.ToString().ToLowerInvariant() + ".";
            if (!_file.WantsAny(t => t.StartsWith(prefix, StringComparison.Ordinal)))
                continue;
            using LpipsModel model = new(backbone);
            FormulaWeights formula = new($"{_file.Folder.Formula.Prefix}lpips.{prefix}");
            model.Weights.Fill(weight =>
            {
                using DisposeScope inner = NewDisposeScope();
                Tensor value = formula.Weight(weight.Key, weight.Dimensions);
                if (weight.Key.StartsWith("lin", StringComparison.Ordinal))
                    value = value.abs();
                // Scaled in double precision, then rounded again.
                else if (weight.Dimensions.Count > 1)
                    value = value.to(ScalarType.Float64).Times(Math.Sqrt(2)).to(ScalarType.Float32);
                return value.to(_dtype).MoveToOuterDisposeScope();
            });
            Tensor layers = Lifetime.WithoutGradient(() => model.PerLayer(a, b));
            _file.Report(prefix + "per_layer", layers.flatten());
            _file.Report(prefix + "distance", layers.sum([1]));
            _file.Report(prefix + "spatial", Lifetime.WithoutGradient(() => model.Spatial(a, b)));
            if (_file.Wants(prefix + "distance_01"))
            {
                // Scaled to [0, 1] and then to [-1, 1], as with the original's option.
                Tensor Widened(string picture) => PixelScale.Values(Picture(picture), 1, CPU, _dtype).Times(2).Plus(-1);
                _file.Report(prefix + "distance_01", Lifetime.WithoutGradient(() => model.PerLayer(Widened("a_u8"), Widened("b_u8")).sum([1])));
            }
            using IDisposable grad = no_grad();
            IReadOnlyList<Tensor> features = model.Features(a);
            for (int i = 0; i < features.Count; i++)
            {
                string name = $"{prefix}features.{i}";
                if (_file.Wants(name))
                    _file.Report(name, Sampled(features[i], _file.Shape(name)[0]));
            }
        }
    }

    /// <summary>Every n-th value of a flattened tensor.</summary>
    private static Tensor Sampled(Tensor values, long count) =>
        values.flatten().slice(0, 0, long.MaxValue, Math.Max(1, values.numel() / count)).slice(0, 0, count, 1);
}
