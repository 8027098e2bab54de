using NullTextResearch.Metrics;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Metrics;

[LeavesNoTensors]
public sealed class PrincipalComponentsTests
{
    /// <summary>Features that vary in two orthogonal directions, one three times as strongly as the other.</summary>
    [Fact]
    public void Of_PlantedDirections_FindsThem()
    {
        using DisposeScope scope = NewDisposeScope();
        double[] strong = [-3, 3, -3, 3],
            weak = [1, 1, -1, -1];
        Tensor first = tensor((double[])[0.6, 0.8, 0, 0, 0]),
            second = tensor((double[])[0, 0, 0, 0, -1]);
        Tensor map = outer(first, tensor(strong)).Plus(outer(second, tensor(weak))).Plus(2.5).reshape(5, 2, 2);
        (IReadOnlyList<double[][]> coordinates, double[] shares) = PrincipalComponents.Of([map], 3);
        Assert.Equal(strong, coordinates[0][0].Select(c => Math.Round(c, 9)));
        // The sign makes the largest coefficient positive.
        Assert.Equal(weak.Select(w => -w), coordinates[0][1].Select(c => Math.Round(c, 9)));
        Assert.All(coordinates[0][2], c => Assert.Equal(0, c, 9));
        Assert.Equal([0.9, 0.1, 0], shares.Select(s => Math.Round(s, 9)));
    }

    [Fact]
    public void Of_SeveralMaps_OneAnalysisOfAllPixels()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor whole = rand([6, 4, 4], dtype: ScalarType.Float64);
        (IReadOnlyList<double[][]> apart, double[] shares) = PrincipalComponents.Of([whole.narrow(1, 0, 1), whole.narrow(1, 1, 3)], 2);
        (IReadOnlyList<double[][]> together, double[] same) = PrincipalComponents.Of([whole], 2);
        for (int c = 0; c < 2; c++)
        {
            double[] joined = [.. apart[0][c], .. apart[1][c]];
            foreach ((double expected, double actual) in together[0][c].Zip(joined))
                Assert.Equal(expected, actual, 9);
            Assert.Equal(same[c], shares[c], 9);
        }
    }

    [Fact]
    public void Colours_NothingVaries_IsGrey()
    {
        using DisposeScope scope = NewDisposeScope();
        (IReadOnlyList<double[][]> coordinates, double[] shares) = PrincipalComponents.Of([ones([3, 2, 2])]);
        Assert.All(PrincipalComponents.Colours(coordinates)[0], b => Assert.Equal(128, b));
        Assert.All(shares, s => Assert.Equal(0, s));
        Assert.Throws<ArgumentOutOfRangeException>(() => PrincipalComponents.Of([ones([3, 2, 2])], 4));
        Assert.Throws<ArgumentException>(() => PrincipalComponents.Of([]));
    }
}
