using NullTextResearch.Scenes;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>Renders scenes directly into a tensor.</summary>
internal static class SceneBatch
{
    /// <summary>[B, 3, size, size] in [-1, 1], float32, on the CPU; owned by the caller's dispose scope.</summary>
    public static Tensor Pixels(SceneRenderer renderer, IReadOnlyList<SceneDescription> scenes, int size)
    {
        int bytes = size * size * 3;
        byte[] buffer = new byte[scenes.Count * bytes];
        for (int i = 0; i < scenes.Count; i++)
            renderer.RenderInto(scenes[i], size, buffer.AsSpan(i * bytes, bytes));
        return ToPixels(tensor(buffer, [scenes.Count, size, size, 3]));
    }

    /// <summary>Converts bytes [B, H, W, 3] to [B, 3, H, W] in [-1, 1].</summary>
    public static Tensor ToPixels(Tensor bytes) => bytes.to(ScalarType.Float32).permute(0, 3, 1, 2).contiguous().OverInPlace(127.5).PlusInPlace(-1);

    /// <summary>Converts [B, 3, H, W], nominally in [-1, 1], to bytes [B, H, W, 3], clamped and rounded.</summary>
    public static Tensor ToBytes(Tensor pixels) =>
        pixels.to(ScalarType.Float32).Plus(1).Times(127.5).Clamped(0, 255).round().to(ScalarType.Byte).permute(0, 2, 3, 1).contiguous();
}
