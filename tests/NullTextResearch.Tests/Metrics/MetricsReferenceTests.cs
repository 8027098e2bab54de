using System.Text.Json;
using NullTextResearch.Images;
using NullTextResearch.Metrics;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using NullTextResearch.Weights;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Metrics;

/// <summary>Against scikit-image on five pairs (data/golden/metrics).</summary>
[Trait("Category", "Golden")]
[LeavesNoTensors]
public sealed class MetricsReferenceTests
{
    private const double Tolerance = 1e-6;

    public static TheoryData<int> Pairs => [0, 1, 2, 3, 4];

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Bytes_AgreeWithTheReference(int index)
    {
        (RgbImage a, RgbImage b, JsonElement row) = Pair(index);
        Assert.Equal(Number(row, "mse"), Mse.Of(a, b), Tolerance);
        Assert.Equal(Number(row, "psnr_db"), Psnr.Of(a, b), Tolerance);
        Assert.Equal(Number(row, "ssim_gaussian11"), Ssim.Of(a, b), Tolerance);
        Assert.Equal(Number(row, "ssim_uniform7"), Ssim.Of(a, b, SsimWindow.Uniform7), Tolerance);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Tensors_OfEitherRange_AgreeWithTheReference(int index)
    {
        using DisposeScope scope = NewDisposeScope();
        (RgbImage a, RgbImage b, JsonElement row) = Pair(index);

        // A batch of the pair both ways round: all four metrics are symmetric.
        Tensor x = ImageTensor.ToPixels([a, b], dtype: ScalarType.Float64),
            y = ImageTensor.ToPixels([b, a], dtype: ScalarType.Float64);
        foreach ((Tensor left, Tensor right, double peak) in new[] { (x, y, 2.0), (x.Plus(1).Over(2), y.Plus(1).Over(2), 1.0) })
        {
            Assert.All(Mse.PerImage(left, right), m => Assert.Equal(Number(row, "mse"), m / (peak * peak), Tolerance));
            Assert.All(Psnr.PerImage(left, right, peak), m => Assert.Equal(Number(row, "psnr_db"), m, Tolerance));
        }

        // Structural similarity knows where zero is, so only [0, 1] equals the bytes.
        Assert.All(Ssim.PerImage(x.Plus(1).Over(2), y.Plus(1).Over(2)), m => Assert.Equal(Number(row, "ssim_gaussian11"), m, Tolerance));
        Assert.All(
            Ssim.PerImage(x.Plus(1).Over(2), y.Plus(1).Over(2), window: SsimWindow.Uniform7),
            m => Assert.Equal(Number(row, "ssim_uniform7"), m, Tolerance)
        );
    }

    private static double Number(JsonElement row, string name) => row.GetProperty(name).GetDouble();

    private static (RgbImage A, RgbImage B, JsonElement Row) Pair(int index)
    {
        string folder = Path.Combine(GoldenTensors.Folder, "metrics");
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, "pairs.safetensors"));
        JsonElement row = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "cases.json"))).RootElement.GetProperty("rows")[index];
        Assert.Equal(index, row.GetProperty("index").GetInt32());
        return (Read("a"), Read("b"), row);

        RgbImage Read(string side)
        {
            using Tensor bytes = file.Read($"{index}.{side}");
            return RgbImage.FromRgb(bytes.bytes, (int)bytes.shape[1], (int)bytes.shape[0]);
        }
    }
}
