using NullTextResearch.Scenes;
using NullTextResearch.Tensors;
using NullTextResearch.Vae;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>Scenes and their latents, encoded once: the training data of the U-Net.</summary>
internal sealed class LatentSet : IDisposable
{
    private LatentSet(SceneDescription[] scenes, Tensor latents)
    {
        Scenes = scenes;
        Latents = latents;
    }

    /// <summary>Masks of each scene's objects, [N, 2, h, w], bytes 0 and 1, at the resolution of the latents; null until <see cref="AddMasks"/>.</summary>
    public Tensor? Masks { get; private set; }

    public IReadOnlyList<SceneDescription> Scenes { get; }

    /// <summary>[N, 4, h, w], float32, unit variance.</summary>
    public Tensor Latents { get; }

    /// <summary>Encodes the first scenes of a split, or reads them from <paramref name="file"/> if it is given, exists and is intact.</summary>
    public static LatentSet Make(
        AutoencoderKL vae,
        TrainingRecipe recipe,
        SceneSplit split,
        int count,
        WorkerPool pool,
        Device device,
        string? file,
        Action<string> note,
        CancellationToken cancel
    )
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
        pool.Run(
            (count + Together - 1) / Together,
            (worker, job) =>
            {
                cancel.ThrowIfCancellationRequested();
                using IDisposable grad = no_grad();
                using DisposeScope scope = NewDisposeScope();
                int first = job * Together,
                    n = Math.Min(Together, count - first);
                Tensor pixels = SceneBatch.Pixels(renderers[worker], scenes[first..(first + n)], recipe.ImageSize).to(device);
                latents.narrow(0, first, n).copy_(vae.Encode(pixels));
            }
        );
        foreach (SceneRenderer renderer in renderers)
            renderer.Dispose();
        if (file is not null)
        {
            using Tensor flat = latents.view(-1);
            TrainingCheckpoint.Save(file, new Dictionary<string, double>(), new Dictionary<string, Tensor> { ["latents"] = flat });
        }

        return new LatentSet(scenes, latents);
    }

    /// <summary>Renders the object masks: every position that an object covers by at least a quarter.</summary>
    public void AddMasks(WorkerPool pool, CancellationToken cancel)
    {
        const int Together = 100,
            Objects = 2;
        int side = (int)Latents.shape[^1],
            one = side * side;
        byte[] masks = new byte[Scenes.Count * Objects * one];
        SceneTraining.WithRenderers(
            pool,
            renderers =>
                pool.Run(
                    (Scenes.Count + Together - 1) / Together,
                    (worker, job) =>
                    {
                        cancel.ThrowIfCancellationRequested();
                        for (int i = job * Together; i < Math.Min(Scenes.Count, (job + 1) * Together); i++)
                        for (int o = 0; o < Scenes[i].Objects.Count; o++)
                        {
                            byte[] coverage = renderers[worker].ObjectCoverage(Scenes[i], o, side);
                            for (int p = 0; p < one; p++)
                                masks[(i * Objects + o) * one + p] = coverage[p] >= 64 ? (byte)1 : (byte)0;
                        }
                    }
                )
        );
        Masks = tensor(masks, [Scenes.Count, Objects, side, side]).to(Latents.device).Keep();
    }

    public void Dispose()
    {
        Latents.Dispose();
        Masks?.Dispose();
    }
}
