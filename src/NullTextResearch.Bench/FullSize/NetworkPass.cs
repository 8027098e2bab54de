using System.Diagnostics;
using NullTextResearch.Planning;
using NullTextResearch.UNet;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Bench.FullSize;

/// <summary>A U-Net with prepared inputs, so that only the network is timed; unet.py does the same with the same numbers.</summary>
internal sealed class NetworkPass : IDisposable
{
    private readonly UNet2DConditionModel _network;
    private readonly Tensor _latents;
    private readonly Tensor _time;
    private readonly Tensor _text;

    public NetworkPass(UNet2DConditionModel network, int pixels, int batch)
    {
        _network = network;
        using DisposeScope scope = NewDisposeScope();
        Tensor Given(long[] shape, long offset) => FormulaNumbers.Of(shape, offset).to(network.Dtype, network.Device).DetachFromDisposeScope();
        _latents = Given([batch, network.Config.InChannels, pixels / 8, pixels / 8], 1);
        _text = Given([batch, NetworkWork.Tokens, network.Config.CrossAttentionDim], 2);
        _time = tensor((long[])[501], device: network.Device).DetachFromDisposeScope();
    }

    /// <summary>The prediction; owned by the caller's dispose scope.</summary>
    public Tensor Forward()
    {
        using IDisposable grad = no_grad();
        return _network.Forward(_latents, _time, _text);
    }

    /// <summary>The gradient of the prediction's mean square with respect to the text embedding; owned by the caller's dispose scope.</summary>
    public Tensor ForwardBackward()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor text = _text.detach().requires_grad_(true);
        Tensor loss = _network.Forward(_latents, _time, text).to(ScalarType.Float32).square().mean();
        return autograd.grad([loss], [text])[0].MoveToOuterDisposeScope();
    }

    /// <summary>The fastest of up to 20 calls, as many as fit in about two seconds; one call before them is not counted.</summary>
    /// <returns>Seconds until the call returned, and until its work was done.</returns>
    public (double Enqueue, double Wall) Best(Func<Tensor> body)
    {
        (double Enqueue, double Wall) first = Once();
        return Enumerable.Range(0, Math.Clamp((int)(2 / first.Wall), 1, 20)).Select(_ => Once()).MinBy(call => call.Wall);

        (double Enqueue, double Wall) Once()
        {
            Synchronize();
            long start = Stopwatch.GetTimestamp();
            body().Dispose();
            double returned = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Synchronize();
            return (returned, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
    }

    public void Dispose()
    {
        _latents.Dispose();
        _time.Dispose();
        _text.Dispose();
    }

    private void Synchronize()
    {
        if (_latents.device_type == DeviceType.CUDA)
            cuda.synchronize();
    }
}
