using NullTextResearch.Scenes;
using NullTextResearch.Tensors;
using NullTextResearch.Vae;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>Scenes and their latents, encoded once: what the U-Net trains on.</summary>
internal sealed class LatentSet : IDisposable
{
    private LatentSet(SceneDescription[] scenes, Tensor latents)
    {
        Scenes = scenes;
        Latents = latents;
    }

    public IReadOnlyList<SceneDescription> Scenes { get; }

    /// <summary>[N, 4, h, w], float32, unit variance.</summary>
    public Tensor Latents { get; }

    /// <summary>Encodes the first scenes of a split, or reads them from <paramref name="file"/> where that is given, exists and is whole.</summary>
    public static LatentSet Make(AutoencoderKL vae, TrainingRecipe recipe, SceneSplit split, int count, WorkerPool pool, Device device, string? file, Action<string> note, CancellationToken cancel)
    {
        const int Together = 25;
        int side = recipe.ImageSize / vae.Config.Downscale;
        SceneDescription[] scenes = [.. Enumerable.Range(0, count).Select(i => ToyScenes.Sample(i, split, recipe.Scenes))];
        Tensor latents = empty([count, vae.Config.LatentChannels, side, side], ScalarType.Float32, device).Keep();
        if (file is not null && File.Exists(file))
        {
            using Tensor flat = latents.view(-1);
            try
            {
                TrainingCheckpoint.Load(file, new Dictionary<string, Tensor> { ["latents"] = flat });
                return new LatentSet(scenes, latents);
            }
            catch (TrainingFileException e) when (e.IsDamage)
            {
                note($"{e.Message} The scenes are encoded again.");
            }
        }

        SceneRenderer[] renderers = [.. Enumerable.Range(0, pool.Workers).Select(_ => new SceneRenderer())];
        pool.Run((count + Together - 1) / Together, (worker, job) =>
        {
            cancel.ThrowIfCancellationRequested();
            using IDisposable grad = no_grad();
            using DisposeScope scope = NewDisposeScope();
            int first = job * Together, n = Math.Min(Together, count - first);
            Tensor pixels = SceneBatch.Pixels(renderers[worker], scenes[first..(first + n)], recipe.ImageSize).to(device);
            latents.narrow(0, first, n).copy_(vae.Encode(pixels));
        });
        foreach (SceneRenderer renderer in renderers) renderer.Dispose();
        if (file is not null)
        {
            using Tensor flat = latents.view(-1);
            TrainingCheckpoint.Save(file, new Dictionary<string, double>(), new Dictionary<string, Tensor> { ["latents"] = flat });
        }

        return new LatentSet(scenes, latents);
    }

    public void Dispose() => Latents.Dispose();
}
