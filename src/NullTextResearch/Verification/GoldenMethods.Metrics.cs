using NullTextResearch.Images;
using NullTextResearch.Metrics;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

internal sealed partial class GoldenMethods
{
    private void ImageMetrics()
    {
        RgbImage truth = Picture("a_u8"),
            prediction = Picture("b_u8");
        using Tensor stored = Stored("mask").to(ScalarType.Int64).contiguous();
        RegionMask edited = new(truth.Width, truth.Height, [.. stored.data<long>().Select(flag => flag != 0)]);
        Part("whole", RegionMask.Everything(truth.Width, truth.Height));
        Part("edit_part", edited);
        Part("unedit_part", edited.Inverse());
        if (_file.Wants("whole.ssim_image"))
        {
            Planes map = Ssim.Map(Planes.Of(prediction), Planes.Of(truth), 255, SsimWindow.Gaussian11, SsimBorder.Reflected);
            _file.Report("whole.ssim_image", tensor(map.Values.SelectMany(plane => plane).ToArray(), [1, map.Values.Length, map.Height, map.Width]));
        }

        void Part(string name, RegionMask mask)
        {
            Scalar($"{name}.psnr", MaskedPsnr.Of(prediction, truth, mask, MaskedMode.PieOfficial));
            Scalar($"{name}.mse", MaskedMse.Of(prediction, truth, mask, MaskedMode.PieOfficial));
            Scalar($"{name}.ssim", MaskedSsim.Of(prediction, truth, mask, MaskedMode.PieOfficial));
        }
    }

    private RgbImage Picture(string bytes) => GoldenNetworks.Image(Stored(bytes).to(ScalarType.Byte).contiguous());

    private void Scalar(string name, double value) => _file.Report(name, tensor(new[] { value }));
}
